/**
 * File names as bytes. On Linux, a name need not be UTF-8, and decoding such a name gives a file that does not exist.
 */
import { isUtf8 } from "node:buffer"

/**
 * Bytes as text: one character from U+0000 to U+00FF for each byte (`latin1`), so that they compare and join like text.
 */
export type Bytes = string

export const bytesOf = (text: string): Bytes => Buffer.from(text).toString("latin1")

/** The argument for `node:fs`. Plain ASCII stays text, which is faster. */
export const pathOf = (bytes: Bytes): string | Buffer => (/[^ -~]/.test(bytes) ? Buffer.from(bytes, "latin1") : bytes)

/** A name for people: control characters, and bytes that are not UTF-8, as `\xNN`. */
export const shownName = (bytes: Bytes): string => {
  const escaped = (text: string) =>
    text.replace(/[^ -~]/g, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`)
  const buffer = Buffer.from(bytes, "latin1")
  return isUtf8(buffer) ? buffer.toString().replace(/\p{Cc}/gu, escaped) : escaped(bytes)
}
