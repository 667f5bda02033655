/**
 * Lets a process live in the time of a simulator, for minutes of metrics within seconds. To be loaded before anything else, with
 * the address of the simulator in AWS_ENDPOINT_URL and its scale in TIME_SCALE.
 */
const scale = Number(process.env["TIME_SCALE"])
const answer = await fetch(`${process.env["AWS_ENDPOINT_URL"]}/_simulator/now`, { method: "POST" })
const start = await answer.json()
const monotonic = performance.now.bind(performance)
const began = monotonic()
const now = () => Math.floor(start + (monotonic() - began) * scale)

globalThis.Date = class extends Date {
  constructor(...args) {
    if (args.length === 0) super(now())
    else super(...args)
  }
  static now() {
    return now()
  }
}
performance.now = () => began + (monotonic() - began) * scale
const { bigint } = process.hrtime
const first = bigint()
process.hrtime.bigint = () => first + (bigint() - first) * BigInt(scale)

/** The clients of AWS wait for a real server: its answers come no faster. */
const isClient = () => /[/\\]@smithy[/\\]/.test(new Error("where").stack ?? "")
const scaled = (timer) =>
  Object.assign(
    (work, millis = 0, ...args) => timer(work, millis < 1000 || isClient() ? millis : millis / scale, ...args),
    timer
  )
globalThis.setTimeout = scaled(globalThis.setTimeout)
globalThis.setInterval = scaled(globalThis.setInterval)
