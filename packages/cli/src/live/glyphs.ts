import type { Style } from "../host/color.ts"

/** A symbol and a colour for each status; the word is always beside them. */
const marks: Readonly<Record<string, readonly [glyph: string, style: Style]>> = {
  pending: ["·", "dim"],
  queued: ["·", "dim"],
  not_deployed: ["·", "dim"],
  initialized: ["·", "dim"],
  destroyed: ["○", "dim"],
  skipped: ["–", "dim"],
  running: ["◌", "blue"],
  in_progress: ["◌", "blue"],
  deploying: ["◌", "blue"],
  destroying: ["◌", "yellow"],
  rolling_back: ["↶", "yellow"],
  rolled_back: ["↶", "yellow"],
  waiting: ["⏸", "yellow"],
  paused: ["⏸", "yellow"],
  partial: ["◐", "yellow"],
  unknown: ["?", "yellow"],
  succeeded: ["✔", "green"],
  completed: ["✔", "green"],
  deployed: ["✔", "green"],
  pass: ["✔", "green"],
  failed: ["✖", "red"],
  cancelled: ["✖", "red"],
  fail: ["✖", "red"],
  error: ["✖", "red"],
  inconclusive: ["?", "yellow"],
  no_data: ["?", "yellow"]
}

export const mark = (status: string): readonly [glyph: string, style: Style] => marks[status] ?? ["·", "dim"]

/** `rolled_back` as people write it. */
export const word = (status: string): string => status.replaceAll("_", " ")
