// The WebSocket to the service: frames go out with their time, one answer comes back for each. At most two frames
// are on their way, so a slow service sees fewer frames and never older ones. A lost connection is taken up again.

import { key } from "./session.js";

const IN_FLIGHT = 2;
const PATIENCE_S = [1, 2, 4, 8];
const REFUSED = [401, 403]; // trying again would not help

export class Stream {
  /**
   * @param {object} hello camera, session, mark: see schemas/stream.py.
   * @param {object} on `answer(message)`, `ready(message)`, `lost(problem or null)` and `refused(problem)`.
   */
  constructor(hello, on) {
    this.hello = { type: "hello", ...hello };
    this.on = on;
    this.failures = 0;
    this.problem = null;
    this.#connect();
  }

  /** Whether a frame of that time may be sent now: the service is ready and not behind. */
  wants(seconds) {
    return this.open && this.waiting < IN_FLIGHT && seconds - this.sent >= this.interval;
  }

  /** Reserve the place of a frame, whose picture is still being encoded. */
  reserve(seconds) {
    this.waiting += 1;
    this.sent = seconds;
  }

  /** Send a reserved frame; without a picture its place is free again. */
  async send(seconds, blob) {
    const socket = this.socket;
    const jpeg = blob && (await blob.arrayBuffer());
    if (socket !== this.socket) return; // the connection it was meant for is gone
    if (!jpeg || !this.open || jpeg.byteLength + 8 > this.maxBytes) {
      this.waiting = Math.max(0, this.waiting - 1);
      return;
    }
    const message = new Uint8Array(8 + jpeg.byteLength);
    new DataView(message.buffer).setFloat64(0, seconds);
    message.set(new Uint8Array(jpeg), 8);
    socket.send(message);
  }

  /** End it for good. */
  close() {
    this.done = true;
    clearTimeout(this.timer);
    this.socket.close();
  }

  #connect() {
    Object.assign(this, { open: false, waiting: 0, sent: -Infinity, interval: 0, maxBytes: Infinity });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/stream`);
    this.socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ ...this.hello, key: key() ?? "" })));
    socket.addEventListener("message", (event) => socket === this.socket && this.#take(JSON.parse(event.data)));
    socket.addEventListener("close", () => socket === this.socket && this.#lost());
  }

  #take(message) {
    if (message.type === "ready") {
      Object.assign(this, { open: true, failures: 0, interval: 0.9 / message.max_fps, maxBytes: message.max_bytes });
      this.on.ready(message);
    } else if (message.type === "frame") {
      this.waiting = Math.max(0, this.waiting - 1);
      this.on.answer(message);
    } else if (message.type === "problem" && REFUSED.includes(message.status)) {
      this.close();
      this.on.refused(message);
    } else if (message.type === "problem") {
      this.problem = message;
    }
  }

  #lost() {
    this.open = false;
    if (this.done) return;
    this.on.lost(this.problem);
    this.problem = null;
    const seconds = PATIENCE_S[Math.min(this.failures, PATIENCE_S.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.#connect(), seconds * 1000);
  }
}
