/**
 * The real world: this process, its streams and its signals.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isatty } from "node:tty"
import * as Effect from "effect/Effect"
import type { Signal } from "../main/ExitCode.ts"
import type { Backend, HostShape, Sink } from "./Host.ts"
import { shieldStdout, toStdout } from "./stdout.ts"

/** Until it accepts more, or never will again. */
const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done)
      resolve()
    }
    for (const event of ["drain", "close", "error"]) stream.on(event, done)
  })

const sink = (stream: NodeJS.WriteStream, write: NodeJS.WriteStream["write"]): Sink => {
  // A reader that went away (`signalbox list | head -1`) ends the output, not the work.
  stream.on("error", () => undefined)
  return {
    isTTY: stream.isTTY === true,
    // Output to a pipe or a file is read by programs, and never cut.
    columns: () => stream.columns || (stream.isTTY ? 80 : Number.POSITIVE_INFINITY),
    rows: () => stream.rows || 24,
    write: (text) => void write(text),
    pass: (bytes) => (write(bytes) ? undefined : drained(stream)),
    onResize: (listener) => {
      stream.on("resize", listener)
      return () => stream.off("resize", listener)
    }
  }
}

const ask = (question: string): Effect.Effect<string> =>
  Effect.promise(async (signal) => {
    const { createInterface } = await import("node:readline/promises")
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return await lines.question(question, { signal })
    } finally {
      lines.close()
    }
  })

/** This program, detached: in its own session, with its output in a file, surviving the terminal. */
const detach = (args: ReadonlyArray<string>, logFile: string): Effect.Effect<number> =>
  Effect.sync(() => {
    // Loaded here: it would cost every start 3 ms.
    const { spawn } = process.getBuiltinModule("node:child_process")
    Fs.mkdirSync(Path.dirname(logFile), { recursive: true })
    const log = Fs.openSync(logFile, "a")
    try {
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
        detached: true,
        stdio: ["ignore", log, log]
      })
      child.on("error", () => undefined)
      child.unref()
      return child.pid ?? 0
    } finally {
      Fs.closeSync(log)
    }
  })

/** The host of this process. */
export const nodeHost = (
  version: string,
  backend: Backend,
  signal: () => Signal | undefined,
  takeSignals: HostShape["takeSignals"]
): HostShape => {
  const stdout = sink(process.stdout, toStdout)
  return {
    env: process.env,
    cwd: process.cwd(),
    version,
    stdout,
    stderr: sink(process.stderr, process.stderr.write.bind(process.stderr)),
    shield: shieldStdout,
    ask: isatty(0) && process.stderr.isTTY === true && !process.env.CI ? ask : undefined,
    detach,
    backend,
    signal,
    takeSignals,
    exit: { code: 0 }
  }
}
