// The camera: a preview, a shutter, and the choice between front and back.

import { html } from "../../vendor/lit-html/lit-html.js";
import { announceAlert, announceStatus } from "../announcer.js";
import { afterDraw } from "../frames.js";
import { t } from "../strings.js";
import { frame } from "../views/dialogs.js";
import { icon } from "../views/icon.js";
import { asFile } from "./drawing.js";

const SIZE = { width: { ideal: 2560 }, height: { ideal: 1920 } };

/** Whether this browser gives the camera to this page at all. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** Open the dialog; `taken` gets the picture as a file. */
export function openCamera(app, taken) {
  app.showDialog({ kind: "camera", taken, facing: "environment", state: "opening", error: "", keepOpen: true });
}

/** <clear-camera facing>: shows what the camera sees while it is on the page; events ready and refused {name}. */
class ClearCamera extends HTMLElement {
  #stream = null;
  #video = document.createElement("video");
  #number = 0;

  connectedCallback() {
    Object.assign(this.#video, { muted: true, playsInline: true, autoplay: true });
    this.#video.setAttribute("aria-hidden", "true");
    this.append(this.#video);
    this.#open();
  }

  disconnectedCallback() {
    this.#number += 1;
    this.#stop();
  }

  static observedAttributes = ["facing"];
  attributeChangedCallback(_, before) {
    if (before !== null && this.isConnected) this.#open();
  }

  #stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
  }

  async #open() {
    const number = ++this.#number;
    this.#stop();
    const facing = this.getAttribute("facing");
    this.classList.toggle("mirrored", facing === "user");
    try {
      if (!hasCamera()) throw new DOMException("", "insecure");
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: facing }, ...SIZE } });
      if (number !== this.#number) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#stream = stream;
      this.#video.srcObject = stream;
      await this.#video.play();
      this.dispatchEvent(new CustomEvent("ready"));
    } catch (error) {
      if (number === this.#number) this.dispatchEvent(new CustomEvent("refused", { detail: error }));
    }
  }

  /** What it sees now, as a file and never mirrored. */
  picture() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.#video.videoWidth, this.#video.videoHeight];
    canvas.getContext("2d").drawImage(this.#video, 0, 0);
    return asFile(canvas, "camera.jpg");
  }
}
customElements.define("clear-camera", ClearCamera);

export function cameraDialog(app, dialog) {
  const change = (values) => {
    Object.assign(dialog, values);
    app.change();
  };
  const shoot = async () => {
    const file = await document.querySelector("clear-camera").picture();
    app.showDialog(null);
    announceStatus(t.cameraTaken);
    dialog.taken(file);
  };
  const refused = ({ detail }) => {
    const words = t.cameraErrors[detail.name] ?? t.cameraErrors.other;
    announceAlert(words);
    change({ state: "refused", error: words });
  };
  const ready = () => {
    if (dialog.state !== "ready") announceStatus(t.cameraReady);
    change({ state: "ready" });
    afterDraw(() => document.getElementById("shutter")?.focus());
  };
  const other = dialog.facing === "user" ? "environment" : "user";
  return frame(
    app,
    t.camera,
    dialog.state === "refused"
      ? html`<p class="camera-refused">${icon("warning")}<span>${dialog.error}</span></p>
          <div class="row end"><button type="button" class="secondary" @click=${() => change({ state: "opening" })}>${t.tryAgain}</button></div>`
      : html`
          <div class="viewfinder" role="img" aria-label=${t.cameraView}>
            <clear-camera facing=${dialog.facing} @ready=${ready} @refused=${refused}></clear-camera>
            ${dialog.state === "opening" ? html`<p>${t.cameraOpening}</p>` : ""}
          </div>
          <div class="camera-controls">
            <button type="button" id="shutter" class="shutter" aria-label=${t.shutter} title=${t.shutter} ?disabled=${dialog.state !== "ready"} @click=${() => shoot().catch((error) => app.fail(error))}></button>
            <button type="button" class="quiet" @click=${() => change({ facing: other, state: "opening" })}>${icon("again")} ${other === "user" ? t.cameraFront : t.cameraBack}</button>
          </div>
        `,
  );
}
