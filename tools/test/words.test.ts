import { describe, expect, it } from "vitest"
import { files, read } from "./repository.ts"

interface Word {
  readonly found: RegExp
  readonly instead: string
  /** How many are left from before this test. It only shrinks; new text has none. */
  readonly left: number
}

/**
 * Words and constructions that make a sentence hard to read, with better ways to say it. Each was a frequent mistake here.
 */
const words: Readonly<Record<string, Word>> = {
  nobody: { found: /\bnobody\b/gi, instead: 'name the actor ("no process"), or use the passive', left: 0 },
  whoever: { found: /\bwho(?:m|so)?ever\b/gi, instead: 'name the actor: "the holder", "the caller"', left: 0 },
  somebody: { found: /\b(?:some|any|every)body\b/gi, instead: '"a person", "another process"', left: 0 },
  "that of": { found: /\b(?:that|those) of\b/gi, instead: "repeat the noun, or use a genitive", left: 0 },
  "those that": { found: /\bthose (?:that|who|which)\b/gi, instead: 'name them: "stacks that …"', left: 0 },
  "of which": { found: /\bof (?:which|whom)\b/gi, instead: '"whose", or two sentences', left: 0 },
  "for ever": { found: /\bfor ever\b/gi, instead: '"forever"', left: 0 },
  anew: { found: /\banew\b/gi, instead: '"again", "a new …"', left: 0 },
  "comes to its end": {
    found: /\bcom(?:e|es|ing) to (?:its|their) (?:end|turn)\b/gi,
    instead: '"ends", "is admitted"',
    left: 0
  },
  "under way": { found: /\bunder way\b/gi, instead: '"in progress"', left: 0 },
  "without a word": { found: /\bwithout a word\b/gi, instead: '"silently", "abruptly"', left: 0 }
}

/** Correct uses: data of a test, names of the system. */
const exceptions: ReadonlyArray<RegExp> = [
  /postgres:\/\/nobody@/g,
  /postgres:\/\/nobody:/g,
  /`nobody`/g,
  /"nobody"/g,
  /one of which/g
]

const searched = files().filter(
  (path) =>
    /\.(?:ts|mjs|js|md|ya?ml|jsonc)$/.test(path) &&
    // Dated records stay as they were written; the reference repeats the comments; outputs and this list are no prose.
    !/^docs\/(?:decisions|api)\/|pnpm-lock|^bench\/(?:peers|results)\/|\/fixtures\/|\/golden\/|CHANGELOG|^tools\/test\/words\.test\.ts$/.test(
      path
    )
)

const texts = searched.map((path) => ({
  path,
  text: exceptions.reduce((text, one) => text.replace(one, ""), read(path))
}))

describe("the language of sources, pages and help", () => {
  it("is read at all", () => {
    expect(searched.length).toBeGreaterThan(500)
    expect("Nobody, and those that whoever has".match(words["nobody"]!.found)).toHaveLength(1)
  })

  it.each(Object.entries(words))("has no new %o", (_, { found, instead, left }) => {
    const places = texts.flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => (line.match(found) ?? []).map((hit) => `${path}:${index + 1}: ${hit}`))
    )
    expect(places.length, `instead, say: ${instead}\n${places.join("\n")}`).toBeLessThanOrEqual(left)
  })
})
