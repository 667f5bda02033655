/**
 * The forms that a known secret takes in output. No form contains a line break: lines are examined one by one.
 */
import * as Base64 from "effect/encoding/Base64"

const shortest = 4
/** Fewer characters of base64 are too likely to be something else. */
const shortestEncoded = 6
/** Longer ones are searched only as they are: a file of keys is not encoded within one line of output. */
const longestEncoded = 1 << 15

const noSecret = /^(true|false|null|none|undefined|\**)$/i

/** The UTF-8 bytes of a text, each as a character: undecoded output looks like this. */
const utf8 = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16))
  )

/**
 * The base64 of the bytes, wherever they start in a longer text: for three offsets, without the characters that depend
 * on neighbours.
 */
const base64 = (bytes: string): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((offset) => {
    const shifted = new Uint8Array(offset + bytes.length)
    for (let index = 0; index < bytes.length; index++) shifted[offset + index] = bytes.charCodeAt(index)
    const encoded = Base64.encode(shifted).slice(Math.ceil((offset * 4) / 3), Math.floor((shifted.length * 4) / 3))
    // Tools break long ones into lines.
    const wrapped =
      offset === 0 && encoded.length > 64 ? [...encoded.match(/.{64}/g)!, ...(encoded.match(/.{76}/g) ?? [])] : []
    return [encoded, ...wrapped].flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")])
  })

const percent = (text: string): ReadonlyArray<string> => {
  const encoded = encodeURIComponent(text.toWellFormed())
  const strict = encoded.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return [encoded, strict, encodeURI(text.toWellFormed())].flatMap((form) => [
    form,
    form.replaceAll("%20", "+"),
    form.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())
  ])
}

const formsOf = (value: string): ReadonlyArray<string> => {
  const whole = value.trim()
  if (whole.length < shortest || noSecret.test(whole)) return []
  const json = JSON.stringify(whole).slice(1, -1)
  const lines = whole.split(/[\r\n]+/).map((line) => line.trim())
  const plain = [whole, json, ...lines, ...lines.map((line) => JSON.stringify(line).slice(1, -1))]
  const encoded = whole.length > longestEncoded ? [] : [...base64(utf8(whole)), ...percent(whole)]
  return [
    ...plain.filter((form) => form.length >= shortest && !noSecret.test(form)),
    ...encoded.filter((form) => form.length >= shortestEncoded)
  ]
}

/** Every form of every secret, the longest first. */
export const all = (values: Iterable<string>): ReadonlyArray<string> => {
  const forms = new Set<string>()
  for (const value of new Set(values)) {
    for (const form of formsOf(value)) {
      if (/[\r\n]/.test(form)) continue
      forms.add(form)
      forms.add(utf8(form))
    }
  }
  return [...forms].sort((left, right) => right.length - left.length || (left < right ? -1 : 1))
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

/** Finds the leftmost form, and the longest at that place. Undefined if there is none. */
export const pattern = (forms: ReadonlyArray<string>): RegExp | undefined =>
  forms.length === 0 ? undefined : new RegExp(forms.map(escaped).join("|"), "g")

/** Returns where the end of a text begins that may be the start of a form; its length if there is none. */
export const beginning =
  (forms: ReadonlyArray<string>) =>
  (text: string): number => {
    let first = text.length
    for (const form of forms) {
      const from = Math.max(0, text.length - form.length + 1)
      for (let at = text.indexOf(form[0]!, from); at !== -1 && at < first; at = text.indexOf(form[0]!, at + 1)) {
        if (form.startsWith(text.slice(at))) {
          first = at
          break
        }
      }
    }
    return first
  }
