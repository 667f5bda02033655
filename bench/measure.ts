import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

/** Median, minimum and maximum of some measurements. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? NaN, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
}

export const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}

/** One line of the report: a figure, its reference, and the goal of the ratio. */
export interface Row {
  readonly group: string
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly against?: string
  readonly ratio?: number
  readonly goal?: number
  readonly note?: string
}

/** Runs whole processes in turn, round by round, so that a slow moment of the machine hits all of them. */
export const interleave = (
  commands: Readonly<Record<string, ReadonlyArray<string>>>,
  options: { readonly rounds: number; readonly cwd?: string; readonly env?: Record<string, string> }
): Readonly<Record<string, Spread>> => {
  const times: Record<string, Array<number>> = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  const env = { ...process.env, CI: "1", ...options.env }
  for (let round = -1; round < options.rounds; round++) {
    for (const [name, [program, ...args]] of Object.entries(commands)) {
      const started = process.hrtime.bigint()
      const { status } = spawnSync(program!, args, { stdio: "ignore", cwd: options.cwd, env })
      const ms = Number(process.hrtime.bigint() - started) / 1e6
      if (status !== 0) throw new Error(`${name} ended with ${status}`)
      if (round >= 0) times[name]!.push(ms)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)]))
}

/** Runs a child that prints one JSON line, and returns it. */
export const child = <A>(command: ReadonlyArray<string>, env: Record<string, string> = {}): A => {
  const { status, stderr, stdout } = spawnSync(command[0]!, command.slice(1), {
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 1e8
  })
  const line = stdout
    .trim()
    .split("\n")
    .findLast((text) => text.startsWith("{"))
  if (status !== 0 || line === undefined)
    throw new Error(`${command.join(" ")} ended with ${status}\n${stderr}\n${stdout}`)
  return JSON.parse(line) as A
}

/** Starts a child and gives its output line by line. */
export const stream = (command: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const started = spawn(command[0]!, command.slice(1), {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env }
  })
  const lines = createInterface({ input: started.stdout })
  const waitFor = async (text: string): Promise<number> => {
    for await (const line of lines) if (line.includes(text)) return performance.now()
    throw new Error(`${command.join(" ")} ended before it said ${text}`)
  }
  return { process: started, waitFor, ended: once(started, "exit") }
}
