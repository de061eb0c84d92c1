// The dialog in which a waiting picture is marked, cropped and turned. What comes out is a picture with the marks drawn
// in, which the model sees, and the same marks as numbers and notes, which it reads.

import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { live } from "../../vendor/lit-html/directives/live.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { announceAlert, announceStatus } from "../announcer.js";
import * as api from "../api.js";
import { afterDraw } from "../frames.js";
import { t } from "../strings.js";
import { frame } from "../views/dialogs.js";
import { icon, iconButton } from "../views/icon.js";
import { asFile, cropped, drawMarks, turned } from "./drawing.js";
import { Marking, percent } from "./marks.js";
import "./stage.js";

const TOOLS = ["pin", "box", "arrow", "freehand", "text", "crop"];
const stage = () => document.querySelector("clear-stage");

/** Open the dialog for a picture that waits in the composer. */
export async function openEditor(app, attachment) {
  const base = attachment.base ?? attachment.sha256;
  const image = new Image();
  image.src = api.imageUrl(base);
  try {
    await image.decode();
  } catch {
    announceAlert(t.pictureNotShown);
    return;
  }
  const marking = new Marking(attachment.edit);
  app.showDialog({ kind: "editor", attachment, base, image, marking, tool: "pin", keepOpen: true });
  afterDraw(() => stage()?.focus());
}

export function editorDialog(app, dialog) {
  const { marking, image, tool } = dialog;
  const draw = () => {
    stage()?.draw();
    app.change();
  };
  const step = (way) => {
    if (marking[way]()) announceStatus(way === "undo" ? t.undone : t.redone);
    draw();
  };
  return frame(
    app,
    t.editorTitle,
    html`
      <fieldset class="tool-choice">
        <legend class="unseen">${t.tools}</legend>
        ${TOOLS.map(
          (one) => html`<label>
            <input
              type="radio"
              name="tool"
              class="unseen"
              value=${one}
              .checked=${live(one === tool)}
              @change=${() => {
                dialog.tool = stage().tool = one; // the stage at once: a key may follow before the next frame
                app.change();
              }}
            />${icon(`tool-${one}`)}<span>${t.toolNames[one]}</span>
          </label>`,
        )}
      </fieldset>
      <clear-stage
        tabindex="0"
        role="application"
        aria-label=${t.stage}
        aria-describedby="stage-help"
        class=${tool}
        .image=${image}
        .marking=${marking}
        .tool=${tool}
        @made=${({ detail }) => {
          announceStatus(t.markMade(detail.number, t.toolNames[detail.kind]));
          draw();
          if (detail.kind === "text") focusNote(detail.number - 1);
        }}
        @cropped=${({ detail }) => {
          const [left, top, right, bottom] = marking.state.crop;
          announceStatus(detail.done ? t.cropped(percent(right - left), percent(bottom - top)) : t.cropTooSmall);
          draw();
        }}
        @note=${() => focusNote(marking.state.marks.length - 1)}
        @undo=${() => step("undo")}
        @redo=${() => step("redo")}
      ></clear-stage>
      <p class="faint" id="stage-help">${t.stageHelp}</p>
      <div class="row editor-steps">
        ${iconButton({ name: "undo", label: t.undo, disabled: !marking.canUndo, run: () => step("undo") })}
        ${iconButton({ name: "redo", label: t.redo, disabled: !marking.canRedo, run: () => step("redo") })}
        ${iconButton({ name: "rotate-left", label: t.rotateLeft, run: () => rotate(marking, -1, draw) })}
        ${iconButton({ name: "rotate-right", label: t.rotateRight, run: () => rotate(marking, 1, draw) })}
        ${marking.isCropped
          ? html`<button
              type="button"
              class="quiet"
              @click=${() => {
                marking.uncrop();
                announceStatus(t.uncropped);
                draw();
                stage()?.focus();
              }}
            >
              ${t.uncrop}
            </button>`
          : nothing}
      </div>
      ${marks(app, dialog, draw)}
    `,
    html`<button type="button" class="quiet" @click=${() => app.showDialog(null)}>${t.cancel}</button>
      <button type="button" class="primary" ?disabled=${!marking.changed && !marking.state.marks.length} @click=${() => apply(app, dialog)}>${t.apply}</button>`,
  );
}

function rotate(marking, way, draw) {
  marking.rotate(way);
  announceStatus(t.rotated);
  draw();
}

function marks(app, { marking }, draw) {
  const { marks: all } = marking.state;
  if (!all.length) return html`<p class="faint">${t.noMarks}</p>`;
  return html`
    <ol class="plain mark-list" aria-label=${t.marksList}>
      ${repeat(
        all,
        (_, index) => index,
        (mark, index) => html`<li>
          <span class="mark-number" aria-hidden="true">${index + 1}</span>
          <span class="mark-kind">${t.toolNames[mark.kind]}<span class="faint"> ${t.markPlace(...mark.points[0].map(percent))}</span></span>
          <input
            type="text"
            id="mark-note-${index}"
            maxlength="500"
            dir="auto"
            aria-label=${mark.kind === "text" ? t.markText(index + 1) : t.markNote(index + 1)}
            placeholder=${mark.kind === "text" ? t.textPlaceholder : t.notePlaceholder}
            .value=${live(mark.note)}
            @input=${(event) => {
              marking.note(index, event.target.value);
              draw();
            }}
            @keydown=${(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              stage()?.focus();
            }}
          />
          ${iconButton({
            name: "delete",
            label: t.removeMark(index + 1),
            run: () => {
              marking.remove(index);
              announceStatus(t.markRemoved(index + 1));
              draw();
              stage()?.focus();
            },
          })}
        </li>`,
      )}
    </ol>
  `;
}

function focusNote(index) {
  afterDraw(() => document.getElementById(`mark-note-${index}`)?.focus());
}

/** Draw it in full size and put it in place of the one that waits. */
async function apply(app, { attachment, base, image, marking }) {
  app.showDialog(null);
  const { turns, crop } = marking.state;
  const changed = turns !== 0 || marking.isCropped;
  const sent = marking.sent;
  const alt = attachment.alt;
  try {
    const clean = cropped(turned(image, turns), crop);
    let original = base;
    if (changed && sent.length) original = (await api.uploadImage(await asFile(clean, attachment.name))).sha256;
    drawMarks(clean, sent);
    const blob = await asFile(clean, attachment.name);
    const done = await app.updateAttachment(attachment.id, { blob, base, original: sent.length ? original : null, marks: sent, edit: marking.state });
    if (done?.state === "ready" && alt && !done.alt) {
      done.alt = (await api.put(api.aboutUrl(done.sha256), { alt })).alt;
      app.change();
    }
    announceStatus(t.edited(sent.length));
  } catch (error) {
    app.fail(error);
  }
}
