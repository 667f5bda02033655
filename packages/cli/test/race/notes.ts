/** What a worker records about itself: a line of JSON each, so that a kill costs the last line at most. */
import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The parameters of the workers. `ttl` in ms; `work` is the longest time that the lease is held, in ms. */
export interface Terms {
  readonly rounds: number
  readonly seed: number
  readonly ttl: number
  readonly work: number
}

export type Note =
  /** A process exists, and works. */
  | { readonly _tag: "Up"; readonly at: number }
  /** It is about to ask for the lock. */
  | { readonly _tag: "Asked"; readonly at: number; readonly id: string; readonly round: number }
  /** Its request came to an end: it had the lock, or was cut. */
  | {
      readonly _tag: "Ended"
      readonly at: number
      readonly id: string
      readonly round: number
      readonly status: string
      readonly code: string | null
    }
  /** Carrying it out failed, and is tried again. */
  | { readonly _tag: "Failed"; readonly at: number; readonly id: string; readonly error: string }
  /** It did not get to run for a while: it was stopped, or the machine had no time for it. */
  | { readonly _tag: "Stalled"; readonly at: number; readonly since: number }
  /** It ran, but its claim on its place was over, because the store took it too late. */
  | { readonly _tag: "Lapsed"; readonly at: number; readonly since: number }

const fileOf = (folder: string, worker: number): string => join(folder, `worker-${worker}.ndjson`)

export const note = (folder: string, worker: number, said: Note): void =>
  appendFileSync(fileOf(folder, worker), `${JSON.stringify(said)}\n`)

export const notesOf = (folder: string, worker: number): ReadonlyArray<Note> => {
  const file = fileOf(folder, worker)
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line): ReadonlyArray<Note> => {
      try {
        return [JSON.parse(line) as Note]
      } catch {
        return []
      }
    })
}

export const idOf = (worker: number, round: number, attempt: number): string => `w${worker}-r${round}-a${attempt}`

/** Whose request it is. */
export const workerOf = (id: string): number => Number(/^w(\d+)-/.exec(id)?.[1] ?? Number.NaN)
