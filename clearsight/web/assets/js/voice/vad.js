// Whether somebody speaks, from one frame of sound after the other: a voice is louder than the noise around it and its
// spectrum has peaks. Loudness is measured against a floor that follows the noise, peaks by spectral flatness: the
// geometric over the arithmetic mean of power between 150 and 4000 Hz, 0.56 for white noise and near 0 for a tone. What
// it can't tell apart is a voice in the room from one on the radio. It runs in the worklet, and needs nothing of a page.

const BAND_HZ = [150, 4000];
const MARGIN_DB = 9; // above the floor
const LOUD_DB = 22; // so far above the floor that flatness doesn't matter: s, sh, a breath near the microphone
const FLATTEST = 0.42;
const QUIETEST_DB = -58; // of full scale; nothing below is taken for a voice
const STARTING_DB = -50; // the floor where somebody speaks from the first frame on
const FALL_DB_PER_S = 40; // how fast the floor follows to lower levels
const RISE_DB_PER_S = 6; // to higher ones while nobody speaks
const RISE_SPEAKING_DB_PER_S = 0.8; // and while somebody seems to: a fan that is switched on is noise after a while
const ONSET = { normal: { voiced: 3, of: 5, margin: 0 }, guarded: { voiced: 5, of: 7, margin: 6 } };

/** Detects when speech begins and ends; `push` takes frames of exactly `size` samples. */
export class VoiceDetector {
  speaking = false;
  guarded = false; // while the page itself speaks: what is left of its echo must not count as a voice
  floor = null; // dB of full scale
  #recent = [];
  #silent = 0; // seconds since the last voiced frame

  /** `endSeconds` is the silence that ends an utterance. */
  constructor(rate, { endSeconds = 0.8 } = {}) {
    this.size = 2 ** Math.round(Math.log2(rate * 0.0213));
    this.rate = rate;
    this.seconds = this.size / rate;
    this.endSeconds = endSeconds;
    this.window = Float32Array.from({ length: this.size }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / this.size));
  }

  /** {level: dB, flatness, voiced, speaking, silence: seconds} after this frame. */
  push(frame) {
    const level = decibels(frame);
    const flatness = this.#flatness(frame);
    this.floor ??= flatness < FLATTEST ? STARTING_DB : Math.max(level, -90);
    const above = level - this.floor;
    const onset = this.guarded ? ONSET.guarded : ONSET.normal;
    const voiced = level > QUIETEST_DB && above > MARGIN_DB + onset.margin && (flatness < FLATTEST || above > LOUD_DB);
    this.#follow(level, voiced);
    this.#recent = [...this.#recent.slice(1 - onset.of), voiced];
    this.#silent = voiced ? 0 : this.#silent + this.seconds;
    if (!this.speaking && this.#recent.filter(Boolean).length >= onset.voiced) this.speaking = true;
    else if (this.speaking && this.#silent >= this.endSeconds) {
      this.speaking = false;
      this.#recent = [];
    }
    return { level, flatness, voiced, speaking: this.speaking, silence: this.#silent };
  }

  #follow(level, voiced) {
    const rise = voiced || this.speaking ? RISE_SPEAKING_DB_PER_S : RISE_DB_PER_S;
    const step = level < this.floor ? -FALL_DB_PER_S : rise;
    const moved = this.floor + step * this.seconds;
    this.floor = step < 0 ? Math.max(moved, level, -90) : Math.min(moved, Math.max(level, this.floor));
  }

  #flatness(frame) {
    const power = powerSpectrum(frame, this.window);
    const [low, high] = BAND_HZ.map((hertz) => Math.round((hertz * this.size) / this.rate));
    let logs = 0;
    let sum = 0;
    for (let bin = low; bin <= high; bin += 1) {
      logs += Math.log(power[bin] + 1e-12);
      sum += power[bin] + 1e-12;
    }
    const bins = high - low + 1;
    return Math.exp(logs / bins) / (sum / bins);
  }
}

function decibels(frame) {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  return 10 * Math.log10(sum / frame.length + 1e-10);
}

/** The squared magnitudes of the first half of the spectrum, by the radix-2 transform of Cooley and Tukey (1965). */
export function powerSpectrum(frame, window) {
  const size = frame.length;
  const real = new Float32Array(size);
  const imaginary = new Float32Array(size);
  const bits = Math.log2(size);
  for (let at = 0; at < size; at += 1) {
    let mirrored = 0;
    for (let bit = 0; bit < bits; bit += 1) mirrored |= ((at >> bit) & 1) << (bits - 1 - bit);
    real[mirrored] = frame[at] * window[at];
  }
  for (let span = 2; span <= size; span *= 2) {
    for (let turn = 0; turn < span / 2; turn += 1) {
      const angle = (-2 * Math.PI * turn) / span;
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      for (let one = turn; one < size; one += span) {
        const two = one + span / 2;
        const turnedReal = real[two] * cosine - imaginary[two] * sine;
        const turnedImaginary = real[two] * sine + imaginary[two] * cosine;
        real[two] = real[one] - turnedReal;
        imaginary[two] = imaginary[one] - turnedImaginary;
        real[one] += turnedReal;
        imaginary[one] += turnedImaginary;
      }
    }
  }
  return real.subarray(0, size / 2).map((value, at) => value * value + imaginary[at] * imaginary[at]);
}
