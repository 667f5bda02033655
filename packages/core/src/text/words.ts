import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { CauseCode, ParamsOf } from "../domain/errors/index.ts"

/** What an error or a cause says; the hint says what to do next. */
export interface Text {
  readonly message: string
  readonly hint?: string
}

/** How the codes of one group are rendered: from their parameters, and text from outside where there is some. */
export type Texts<C extends CauseCode> = {
  readonly [K in C]: (params: ParamsOf<K>, detail: string | undefined) => Text | string
}

/** A status, a stage or a trigger in words. */
export const words = (name: string): string => name.replaceAll("_", " ")

export const span = (ms: number): string => Duration.format(Duration.millis(ms))

export const moment = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

export const list = (items: ReadonlyArray<string>): string => items.join(", ")

/** A sentence and what comes behind it, where there is something. */
export const because = (text: string | undefined, between = ": "): string =>
  text === undefined || text === "" ? "" : `${between}${text}`

/** Text from outside in parentheses. */
export const aside = (text: string | undefined): string => (text === undefined || text === "" ? "" : ` (${text})`)

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`
