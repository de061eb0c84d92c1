// Pictures in the page: camera, marks, what the model saw, and words for every picture.

import { html } from "../../vendor/lit-html/lit-html.js";
import { attachmentActions, composerTools, dialogKinds, pictureActions } from "../extensions.js";
import { app } from "../state.js";
import { t } from "../strings.js";
import { iconButton } from "../views/icon.js";
import { cameraDialog, openCamera } from "./camera.js";
import { editorDialog, openEditor } from "./editor.js";
import { openSeen, seenDialog } from "./seen.js";
import { awaitWording, openWording, wordingDialog } from "./wording.js";

dialogKinds.set("camera", cameraDialog).set("editor", editorDialog).set("seen", seenDialog).set("wording", wordingDialog);

const place = (one) => app.attachments.indexOf(one) + 1;

composerTools.push({
  order: 10,
  render: () => iconButton({ name: "camera", label: t.takePicture, run: () => openCamera(app, (file) => app.addFiles([file])) }),
});

attachmentActions.push(
  { order: 10, render: (_, one) => iconButton({ name: "mark", label: t.editPicture(place(one)), run: () => openEditor(app, one) }) },
  {
    order: 20,
    render: (_, one) =>
      iconButton({
        name: "edit",
        label: t.altEdit(place(one)),
        run: () => openWording(app, one.sha256, (alt) => (one.alt = alt)),
      }),
  },
  { order: 30, render: (_, one) => iconButton({ name: "eye", label: t.seen, run: () => openSeen(app, one) }) },
);

pictureActions.push(
  { order: 10, render: (_, part) => iconButton({ name: "eye", label: t.seen, run: () => openSeen(app, part) }) },
  { order: 20, render: (_, part) => html`${iconButton({ name: "edit", label: t.altEditShown, run: () => openWording(app, part.sha256) })}` },
);

app.addEventListener("answer-end", ({ detail: { message } }) => {
  const turn = app.all.get(message.parent_id);
  for (const part of turn?.content ?? []) if (part.type === "image") awaitWording(app, part.sha256);
});
