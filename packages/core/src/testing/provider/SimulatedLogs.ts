/**
 * What the releases of a simulated cloud write.
 */
import type { LogLine, LogPage, StackRef } from "../../spi/index.ts"
import { keyOf } from "./SimulatedState.ts"

export class SimulatedLogs {
  readonly #lines = new Map<string, Array<LogLine>>()

  add(ref: StackRef, line: LogLine): void {
    const key = keyOf(ref)
    this.#lines.set(key, [...(this.#lines.get(key) ?? []), line])
  }

  /** A cursor is the number of lines before it, of all releases. */
  read(
    ref: StackRef,
    {
      cursor,
      limit,
      releaseId
    }: { readonly releaseId?: string; readonly cursor: string | null; readonly limit: number }
  ): LogPage {
    const all = (this.#lines.get(keyOf(ref)) ?? []).map((line, index) => ({ line, index }))
    const wanted = all.filter(({ line }) => releaseId === undefined || line.releaseId === releaseId)
    const found =
      cursor === null ? wanted.slice(-limit) : wanted.filter(({ index }) => index >= Number(cursor)).slice(0, limit)
    const last = found.at(-1)
    return {
      lines: found.map(({ line }) => line),
      cursor: last === undefined ? (cursor ?? String(all.length)) : String(last.index + 1)
    }
  }
}
