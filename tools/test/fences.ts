import { files, read } from "./repository.ts"

export interface Fence {
  /** Its place: a path and a line, such as `README.md:42`. */
  readonly at: string
  readonly language: string
  readonly code: string
}

/** The fenced blocks of a Markdown page, in their order. */
export const fencesOf = (path: string): ReadonlyArray<Fence> => {
  const text = read(path)
  return [...text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)].map(({ 1: language = "", 2: code = "", index }) => ({
    at: `${path}:${text.slice(0, index).split("\n").length + 1}`,
    language,
    code
  }))
}

/** All Markdown pages of the repository. */
export const pages: ReadonlyArray<string> = files().filter((path) => path.endsWith(".md"))
