import type { Sink } from "./Host.ts"

/**
 * Whether a stream gets colour: the flag first, then `NO_COLOR`, `FORCE_COLOR` and `TERM=dumb`, then whether it is a
 * terminal.
 */
export const wantsColor = (
  env: Readonly<Record<string, string | undefined>>,
  sink: Sink,
  flag: boolean | undefined
): boolean => {
  if (flag !== undefined) return flag
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false"
  return env.TERM !== "dumb" && sink.isTTY
}

/** Whether a stream can be redrawn in place. */
export const canRedraw = (env: Readonly<Record<string, string | undefined>>, sink: Sink): boolean =>
  sink.isTTY && env.TERM !== "dumb" && !env.CI

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const
export type Style = keyof typeof codes

/** Paints text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string

export const paint =
  (color: boolean): Paint =>
  (style, text) =>
    color && text !== ""
      ? `\u001b[${codes[style]}m${text}\u001b[${style === "bold" || style === "dim" ? 22 : 39}m`
      : text
