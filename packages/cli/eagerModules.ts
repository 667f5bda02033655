/**
 * The functions that hold the modules of a bundle, in parentheses. Node's compile cache keeps what V8 compiled while it
 * loaded the file, and V8 leaves a function for its first call, in every process again, unless it stands in parentheses.
 */
import type { Options } from "tsup"

/** As esbuild writes a module, where it keeps the lines: `var a, b, init_ab = esm(() => {`, up to `});`. */
const modules = /^(var (?:[\w$]+, )*[\w$]+ = [\w$]+\()\(((?:[\w$]+(?:, [\w$]+)*)?)\) => (\{\n(?:(?!\}).*\n)*\})\);$/gm

const parenthesized = (code: string): string => {
  const eager = code.replace(modules, "$1(function($2) $3));")
  if (eager === code) throw new Error("esbuild writes the modules of a bundle in another way now")
  return eager
}

/** Has the modules compiled when the bundle is, for the price of its line breaks. */
export const eagerModules: NonNullable<Options["plugins"]>[number] = {
  name: "eager-modules",
  esbuildOptions: (options) => {
    options.minifyIdentifiers = true
    options.minifySyntax = true
  },
  renderChunk: (code) => ({ code: parenthesized(code) })
}
