/**
 * Taking secrets out of what others print: those that are known by their values, and those that are known by their looks.
 */
import { namesSecret } from "./Secret.ts"
import * as forms from "./secretForms.ts"
import * as looks from "./secretLooks.ts"

/** What stands where a secret stood. */
export const mask = "***"

/**
 * Redacts a text that arrives in pieces, however it is cut.
 *
 * *Details*: `push` gives what can be given by now, whole lines in general; `idle` gives the beginning of a line that nobody
 * goes on with, such as a question, but nothing that a secret may begin with; `end` gives the rest.
 */
export interface RedactionStream {
  readonly push: (text: string) => string
  readonly idle: () => string
  readonly end: () => string
}

/**
 * Takes secrets out of texts.
 *
 * *Details*: works on text as on bytes that were read as Latin-1, so that output can be redacted without being decoded.
 */
export interface Redactor {
  readonly redact: (text: string) => string
  readonly stream: () => RedactionStream
}

/** An incomplete line that is longer is given in parts. */
const longLine = 1 << 16

/** Names of variables that hold secrets though `namesSecret` would not tell so of a property. */
const moreNames =
  /(^|_)(PAT|AUTH|PWD|PASS|DSN|(SIGNING|ENCRYPTION|MASTER|AUTH|SSH|DEPLOY|ACCOUNT|SERVICE|WEBHOOK)_?KEY)$/i

/** Those that are no secrets, however they are named. */
const neverNames = /^(OLD)?PWD$/

/**
 * The secrets in an environment: values of variables that are named like secrets or in `names`, and passwords in URLs.
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

/** Spans in rising order, none overlapping. */
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
 * Makes a redactor.
 *
 * *Details*: redacted are the secrets in `env` (`secretsIn`), all of `values`, each of them also in base64, percent-encoded
 * or as JSON has it, and of one of several lines each line; passwords in URLs; credentials in `Authorization` headers;
 * tokens of AWS, Google Cloud, GitHub, GitLab, Slack, Stripe and npm; JSON web tokens; private keys in PEM. Values of fewer
 * than 4 characters are no secrets. `mask` takes their place.
 *
 * *Gotchas*: a secret that its owner prints letter by letter, compressed or encrypted is not recognised.
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
    /** What is not all given yet. It starts at the start of a line, or at a place that nothing before it matters to. */
    let held = ""
    /** How much of it was given already. */
    let given = 0
    const keys = new looks.PrivateKeys()

    /** Gives what is held up to an end, redacted. A span that begins before that end belongs to it as a whole. */
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

    /** Where the last line that is complete ends. */
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
          // Whatever begins before this is here as a whole, and so is what overlaps it.
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
