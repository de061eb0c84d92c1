// Sound for the recogniser: 16 kHz, mono, 16 bits, as a wave file.

export const RATE = 16_000;

/** Frames recorded at `rate` as one stretch at 16 kHz; the browser's own resampler cuts off what would fold back. */
export async function resampled(frames, rate) {
  const length = frames.reduce((sum, frame) => sum + frame.length, 0);
  const context = new OfflineAudioContext(1, Math.max(1, Math.ceil((length * RATE) / rate)), RATE);
  const buffer = context.createBuffer(1, Math.max(1, length), rate);
  let at = 0;
  for (const frame of frames) {
    buffer.copyToChannel(frame, 0, at);
    at += frame.length;
  }
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

/** Samples from -1 to 1 as a wave file. */
export function wav(samples, rate = RATE) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const write = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, index) => view.setInt16(44 + index * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true));
  return new Blob([view.buffer], { type: "audio/wav" });
}
