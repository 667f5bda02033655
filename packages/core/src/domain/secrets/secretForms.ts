/**
 * The forms that a known secret takes in output. No form holds a line break: lines are looked at one by one.
 */
import * as Base64 from "effect/encoding/Base64"

const shortest = 4
/** Fewer characters of base64 are too likely to be something else. */
const shortestEncoded = 6
/** Longer ones are looked for as they are: nobody encodes a file of keys within a line of output. */
const longestEncoded = 1 << 15

const noSecret = /^(true|false|null|none|undefined|\**)$/i

/** The bytes of a text in UTF-8, each as a character: what output looks like that is not decoded. */
const utf8 = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16))
  )

/**
 * What base64 makes of the bytes, wherever in a longer text they stand: of three places, and without the characters that
 * depend on neighbours too.
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

/** Finds the leftmost form, and the longest of those. Undefined where there is none to find. */
export const pattern = (forms: ReadonlyArray<string>): RegExp | undefined =>
  forms.length === 0 ? undefined : new RegExp(forms.map(escaped).join("|"), "g")

/** Gives where in a text the end begins that a form may begin with; its length where no form may. */
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
