/**
 * Runs the program in this process: signals, streams, exit code.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { exitCodeOfSignal, type Signal } from "./ExitCode.ts"
import { embedded } from "../host/backend.ts"
import { nodeHost } from "../host/node.ts"
import { toStdout } from "../host/stdout.ts"
import { Redraw } from "../live/Redraw.ts"
import { plain } from "../live/words.ts"
import { main } from "./Main.ts"
import { version } from "./version.ts"

/** The time for cleaning up: a CI runner kills 7.5 seconds after its first signal. */
const patience = 7000

/** While a configuration is loaded, its code must not have `process`'s own. */
const exit = process.exit.bind(process)

let asked: Signal | undefined
/** Who gets the signals instead, while a command runs that handles them itself. */
let taker: ((signal: Signal) => void) | undefined

const host = nodeHost(
  version,
  embedded,
  () => asked,
  (listener) => {
    taker = listener
    return () => {
      taker = undefined
    }
  }
)
const fiber = Effect.runFork(main(host, process.argv.slice(2)))

/** Whether the work is done, or its end has been reported. */
let ended = false

/** Prints a message, above the tree if there is one. */
const say = (line: string) => {
  if (Redraw.active === undefined) process.stderr.write(`${line}\n`)
  else Redraw.active.above(line)
}
const die = (code: number, line: string): never => {
  Redraw.active?.end()
  process.stderr.write(`signalbox: ${line}\n`)
  ended = true
  return exit(code)
}
process.on("exit", () => {
  // However it ends, the terminal gets its cursor back.
  Redraw.active?.end()
  if (ended) return
  // Foreign code called process.exit, or left nothing to wait for: that is not success.
  process.stderr.write("signalbox: ended before its work was done\n")
  process.exitCode = 1
})
process.on("uncaughtException", (error) => {
  if (process.env.SIGNALBOX_DEBUG) process.stderr.write(`${error.stack}\n`)
  die(
    1,
    `something went wrong inside: ${plain(error.message.split("\n")[0] ?? "")}; what was done is in the log (SIGNALBOX_DEBUG=1 shows more)`
  )
})

const stop = (signal: Signal) => {
  if (taker !== undefined) return taker(signal)
  if (asked !== undefined) {
    // Kernel and shell may both report a closed terminal: that is not a second Ctrl-C.
    if (signal === "SIGHUP") return
    return die(exitCodeOfSignal(signal), "forced; the next run resumes the work in progress")
  }
  asked = signal
  if (!process.argv.includes("--json")) {
    say(
      `\nsignalbox: stopping; the state is being saved (at most ${patience / 1000} s)${signal === "SIGINT" ? ", Ctrl-C again forces" : ""}`
    )
  }
  setTimeout(
    () => die(exitCodeOfSignal(signal), `not finished within ${patience / 1000} s, forced; the next run takes it up`),
    patience
  ).unref()
  Effect.runFork(Fiber.interrupt(fiber))
}
/** The supervisor ends in its own way, and continues after it has started. */
const supervises = process.argv[2] === "__supervisor"
/** Runners started with `--detach` outlive their terminal. */
const detached = process.argv[2] === "__run"
if (!supervises) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop(signal))
  process.on("SIGHUP", () => (detached ? undefined : stop("SIGHUP")))
}

fiber.addObserver((outcome) => {
  ended = true
  const code = outcome._tag === "Success" ? outcome.value : 1
  process.exitCode = asked === undefined ? code : exitCodeOfSignal(asked)
  if (supervises && process.exitCode === 0) return
  // A forgotten connection must not keep the program alive; output is flushed first.
  toStdout("", () => process.stderr.write("", () => exit()))
})
