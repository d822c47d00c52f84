// The camera: opened with a reason in plain words when it cannot be, and read one frame at a time.

import { t } from "./texts.js";

const REASONS = {
  NotAllowedError: "kiosk.cameraDenied",
  NotFoundError: "kiosk.cameraMissing",
  OverconstrainedError: "kiosk.cameraMissing",
  NotReadableError: "kiosk.cameraBusy",
};
const JPEG_QUALITY = 0.92; // the traces of a recaptured picture do not survive a coarser one

/**
 * Show the camera in a video element.
 *
 * @param {HTMLVideoElement} video where to show it.
 * @param {number} width wanted; the picture is sent as it comes, because resampling would hide traces of attacks.
 * @returns {Promise<MediaStream>} to be stopped with `close`.
 * @throws {Error} with a sentence for the person in front of it.
 */
export async function open(video, width = 640) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error(t("kiosk.cameraInsecure"));
  const wanted = { width: { ideal: width }, height: { ideal: (width * 3) / 4 }, facingMode: "user" };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    video.srcObject = stream;
    await video.play();
    return stream;
  } catch (error) {
    const reason = REASONS[error.name];
    throw new Error(reason ? t(reason) : t("common.failed", { problem: error.message }));
  }
}

/** Let go of the camera. */
export function close(video, stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

/** Whether the visitor allowed the camera before, so that the page may open it without asking. */
export async function allowed() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state === "granted";
  } catch {
    return false; // this browser does not tell
  }
}

/** Call `take(seconds)` once for every new frame of the video; returns how to stop. */
export function everyFrame(video, take) {
  let running = true;
  const next = video.requestVideoFrameCallback
    ? (then) => video.requestVideoFrameCallback(then)
    : (then) => requestAnimationFrame(then);
  const step = (now) => {
    if (!running) return;
    if (video.videoWidth) take(now / 1000);
    next(step);
  };
  next(step);
  return () => { running = false; };
}

const canvas = document.createElement("canvas");

/** What the video shows now, as a JPEG blob of its own size; null if the browser could not encode it. */
export function picture(video) {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
}
