/**
 * Secrets with a known form. No pattern looks behind, crosses a line or is unbounded, so that matches do not depend on
 * how a text was split.
 */

type Spans = Array<readonly [start: number, end: number]>

const word = (text: string): string => `(?:${text}|${text.toUpperCase()})`
const given = `["']?[ \\t]{0,8}[:=][ \\t]{0,8}["']?`
const open = `[^\\x00-\\x20"',;]`

/** A secret from its first character on. */
const tokens = [
  "gh[pousr]_[A-Za-z0-9]{20,255}",
  "github_pat_[A-Za-z0-9_]{20,255}",
  "glpat-[A-Za-z0-9_-]{20,255}",
  "A[KS]IA[A-Z0-9]{16}",
  "AIza[A-Za-z0-9_-]{35}",
  "ya29\\.[A-Za-z0-9_.-]{20,2048}",
  "xox[abeoprs]-[A-Za-z0-9-]{10,255}",
  "[sr]k_live_[A-Za-z0-9]{16,255}",
  "npm_[A-Za-z0-9]{36}",
  "eyJ[A-Za-z0-9_-]{8,2048}\\.eyJ[A-Za-z0-9_-]{8,4096}\\.[A-Za-z0-9_-]{8,1024}",
  "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^\\r\\n]{0,16384}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----"
]

/** A prefix that announces a secret, and the secret. Only the second is redacted. */
const announced = [
  ["://[^\\x00-\\x20/?#:@\"']{0,256}:", "[^\\x00-\\x20/?#@\"']{1,1024}(?=@)"],
  [`${word("[Aa]uthorization")}${given}(?:[A-Za-z]{1,20}[ \\t]{1,8})?`, `${open}{4,4096}`],
  ["[Bb]earer[ \\t]{1,8}", "[A-Za-z0-9._~+/=-]{16,4096}"],
  [
    `(?:[Ss]ecret_?[Aa]ccess_?[Kk]ey|SECRET_ACCESS_KEY|[Ss]ession_?[Tt]oken|SESSION_TOKEN)${given}`,
    "[A-Za-z0-9/+=]{16,4096}"
  ]
] as const

/** No match is longer. */
export const longest = 1 << 15

const looks = new RegExp([...tokens, ...announced.map(([before, secret]) => `(${before})${secret}`)].join("|"), "g")

/** All secrets with these forms. */
export const spansIn = (text: string): Spans => {
  const spans: Spans = []
  looks.lastIndex = 0
  for (let found = looks.exec(text); found !== null; found = looks.exec(text)) {
    const before = found.slice(1).find((group) => group !== undefined) ?? ""
    spans.push([found.index + before.length, looks.lastIndex])
  }
  return spans
}

const url = /:\/\/[^\x00-\x20/?#:@"']*:([^\x00-\x20/?#@"']+)@/g

const decoded = (text: string): ReadonlyArray<string> => {
  try {
    return [decodeURIComponent(text)]
  } catch {
    return []
  }
}

/** The passwords of the URLs in a text, encoded and decoded. */
export const passwordsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(url)].flatMap(([, password]) => [password!, ...decoded(password!)])

/** The end of a text that one of the patterns may continue. */
const unfinished = new RegExp(
  `(?:gh[pousr]_|github_pat_|glpat-|A[KS]IA|AIza|ya29\\.|xox[abeoprs]-|[sr]k_live_|npm_|eyJ|://[^\\x00-\\x20/]{0,256}:)[^\\x00-\\x20]{0,8192}$|` +
    `(?:${word("[Aa]uthorization")}${given}|[Bb]earer[ \\t]|` +
    `(?:[Ss]ecret_?[Aa]ccess_?[Kk]ey|SECRET_ACCESS_KEY|[Ss]ession_?[Tt]oken|SESSION_TOKEN)${given})[A-Za-z]{0,20}[ \\t]{0,8}${open}{0,4096}$`
)

/** Returns where the end of a text begins that a pattern may continue; its length if there is none. */
export const mayBegin = (text: string): number => {
  const from = Math.max(0, text.length - (longest >> 1))
  const at = text.slice(from).search(unfinished)
  return at === -1 ? text.length : from + at
}

const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----/g
const end = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----/g
const mostLines = 500
/** A line of a private key is short; a longer one belongs to something else. */
const longestKeyLine = 1024

/** Tracks private keys across lines. */
export class PrivateKeys {
  #left = 0

  /** Whether the next line belongs to a key. */
  get inside(): boolean {
    return this.#left > 0
  }

  /** The parts of a key in these complete lines. */
  spansIn(text: string): Spans {
    if (!this.inside && !text.includes("-----BEGIN ")) return []
    const spans: Spans = []
    const lines = /[^\r\n]+/g
    for (let found = lines.exec(text); found !== null; found = lines.exec(text)) {
      this.#line(found[0], found.index, spans)
    }
    return spans
  }

  /** Called with a line that is not complete yet. */
  sees(length: number): void {
    if (length > longestKeyLine) this.#left = 0
  }

  #line(line: string, offset: number, spans: Spans): void {
    let at = 0
    for (;;) {
      if (!this.inside) {
        begin.lastIndex = at
        const found = begin.exec(line)
        if (found === null || line.length - found.index > longestKeyLine) return
        at = found.index
        this.#left = mostLines
      }
      if (line.length - at > longestKeyLine) {
        this.#left = 0
        return
      }
      end.lastIndex = at
      const stop = end.exec(line)
      spans.push([offset + at, offset + (stop === null ? line.length : end.lastIndex)])
      if (stop === null) {
        this.#left--
        return
      }
      this.#left = 0
      at = end.lastIndex
    }
  }
}
