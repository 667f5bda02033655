import * as Schema from "effect/Schema"

/**
 * Characters that a line of text must not contain: control characters, which begin escape sequences; separators of
 * lines and paragraphs; marks that change the direction of the surrounding text; lone surrogates.
 */
const unfit = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u

/**
 * The first character that would break its line, as `U+001B`; undefined if there is none.
 */
export const unfitIn = (text: string): string | undefined => {
  const character = unfit.exec(text)?.[0]
  return character === undefined
    ? undefined
    : `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`
}

/**
 * Escapes such characters (`\x1b`, `\n`, `\u202e`), so that text from outside stays on its line and is read as written.
 */
export const escapeUnfit = (text: string): string =>
  text.replaceAll(new RegExp(unfit, "gu"), (character) => {
    if (character === "\n") return String.raw`\n`
    if (character === "\r") return String.raw`\r`
    if (character === "\t") return String.raw`\t`
    const code = character.codePointAt(0)!.toString(16)
    return code.length <= 2 ? String.raw`\x${code.padStart(2, "0")}` : String.raw`\u${code.padStart(4, "0")}`
  })

/** Whether a text fits on a line. */
export const isLine = Schema.makeFilter<string>((text) => unfitIn(text) === undefined, {
  expected: "one line of text without control characters"
})

/**
 * Text from people that is stored and shown: versions, reasons, names. One line, not empty, without control characters.
 */
export const Line = Schema.String.check(Schema.isMinLength(1), isLine)
export type Line = typeof Line.Type
