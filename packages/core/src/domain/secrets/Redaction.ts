/**
 * Masks secrets in the output of others: secrets with known values, and secrets with a known form.
 */
import { namesSecret } from "./Secret.ts"
import * as forms from "./secretForms.ts"
import * as looks from "./secretLooks.ts"

/** The replacement for a secret. */
export const mask = "***"

/**
 * Redacts a text that arrives in chunks, however it is split.
 *
 * *Details*: `push` returns what can be released now, usually whole lines; `idle` returns the start of an incomplete
 * line, such as a question, except what a secret may begin with; `end` returns the rest.
 */
export interface RedactionStream {
  readonly push: (text: string) => string
  readonly idle: () => string
  readonly end: () => string
}

/**
 * Masks secrets in texts.
 *
 * *Details*: works on text and on bytes read as Latin-1, so that output can be redacted without decoding.
 */
export interface Redactor {
  readonly redact: (text: string) => string
  readonly stream: () => RedactionStream
}

/** A longer incomplete line is released in parts. */
const longLine = 1 << 16

/** Names of variables that hold secrets although `namesSecret` would not say so of a property. */
const moreNames =
  /(^|_)(PAT|AUTH|PWD|PASS|DSN|(SIGNING|ENCRYPTION|MASTER|AUTH|SSH|DEPLOY|ACCOUNT|SERVICE|WEBHOOK)_?KEY)$/i

/** Variables that are not secrets, whatever their names. */
const neverNames = /^(OLD)?PWD$/

/**
 * The secrets in an environment: values of variables with a secret-like name or in `names`, and passwords in URLs.
 */
export const secretsIn = (
  env: Readonly<Record<string, string | undefined>>,
  names: ReadonlyArray<string> = []
): ReadonlyArray<string> =>
  Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined) return []
    const named = names.includes(name) || ((namesSecret(name) || moreNames.test(name)) && !neverNames.test(name))
    return named ? [value, ...looks.passwordsIn(value)] : looks.passwordsIn(value)
  })

/** Ranges in ascending order, without overlap. */
type Spans = Array<readonly [start: number, end: number]>

const merge = (left: Spans, right: Spans): Spans => {
  if (left.length === 0 || right.length === 0) return left.length === 0 ? right : left
  const merged: Spans = []
  for (const span of [...left, ...right].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && span[0] < last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], span[1])]
    else merged.push(span)
  }
  return merged
}

/**
 * Creates a redactor.
 *
 * *Details*: it redacts the secrets in `env` (`secretsIn`) and all of `values`, each also in base64, percent-encoded or
 * as JSON, and each line of a multi-line one; passwords in URLs; credentials in `Authorization` headers; tokens of AWS,
 * Google Cloud, GitHub, GitLab, Slack, Stripe and npm; JSON web tokens; private keys in PEM. Values of fewer than 4
 * characters are not treated as secrets. `mask` is the replacement.
 *
 * *Gotchas*: a secret that is printed letter by letter, compressed or encrypted is not recognised.
 */
export const make = (options: {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly names?: ReadonlyArray<string>
  readonly values?: ReadonlyArray<string>
}): Redactor => {
  const literals = forms.all([...secretsIn(options.env ?? {}, options.names), ...(options.values ?? [])])
  const literal = forms.pattern(literals)
  const beginsLiteral = forms.beginning(literals)
  /** No match is longer. */
  const longest = Math.max(looks.longest, ...literals.map(({ length }) => length))

  const spansIn = (text: string): Spans => {
    const known: Spans = []
    if (literal !== undefined) {
      literal.lastIndex = 0
      for (let found = literal.exec(text); found !== null; found = literal.exec(text)) {
        known.push([found.index, literal.lastIndex])
      }
    }
    return merge(known, looks.spansIn(text))
  }

  const stream = (): RedactionStream => {
    /**
     * The text that is not released yet. It starts at the start of a line, or at a place where earlier text does not
     * matter.
     */
    let held = ""
    /** How much of it was already released. */
    let given = 0
    const keys = new looks.PrivateKeys()

    /** Returns the held text up to an end, redacted. A range that begins before that end belongs to it as a whole. */
    const give = (spans: Spans, end: number): string => {
      let out = ""
      let at = given
      for (const [start, stop] of spans) {
        if (start >= end) break
        if (stop <= at) continue
        out += held.slice(at, Math.max(at, start)) + mask
        at = stop
      }
      if (at < end) {
        out += held.slice(at, end)
        at = end
      }
      given = at
      return out
    }

    /** Where the last complete line ends. */
    const lineEnd = (text: string): number => Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1

    const lines = (end: number): string => {
      if (end === 0) return ""
      const whole = held.length === end
      const rest = whole ? "" : held.slice(end)
      if (!whole) held = held.slice(0, end)
      const out = give(merge(keys.spansIn(held), spansIn(held)), end)
      held = rest
      given = 0
      return out
    }

    return {
      push: (text) => {
        const end = lineEnd(text)
        const before = held.length
        held += text
        let out = end === 0 ? "" : lines(before + end)
        keys.sees(held.length)
        if (held.length > longLine + 2 * longest) {
          // Any match that begins before this is complete, and so is everything that overlaps it.
          out += give(spansIn(held), held.length - 2 * longest)
          held = held.slice(given)
          given = 0
        }
        return out
      },
      idle: () => {
        if (given >= held.length || keys.inside || held.includes("-----BEGIN ")) return ""
        const safe = Math.min(beginsLiteral(held), looks.mayBegin(held))
        return safe <= given ? "" : give(spansIn(held), safe)
      },
      end: () => lines(held.length)
    }
  }

  return {
    redact: (text) => {
      const all = stream()
      return all.push(text) + all.end()
    },
    stream
  }
}
