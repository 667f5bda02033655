/**
 * The template of a stack, as its properties name it.
 */
import type { Candidate, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Properties } from "../Properties.ts"
import { cdkTemplate } from "./CdkOutput.ts"
import { parseTemplate, type Template, TemplateMistake } from "./Template.ts"

const invalid = (path: ReadonlyArray<string>, message: string, hint?: string): ProviderReason => ({
  _tag: "Invalid",
  message,
  path,
  ...(hint === undefined ? {} : { hint })
})

/** Reads the template of a candidate, and checks it as far as that needs no call. `shown` is its name for people. */
export const templateOf = (
  directory: string,
  { artifact }: Candidate,
  properties: Properties
): Effect.Effect<Template & { readonly shown: string }, ProviderReason> =>
  Effect.gen(function* () {
    const shown = artifact ?? properties.template
    if (shown === undefined) {
      const hint = "Name a file in template, or give one with --artifact."
      return yield* Effect.fail(invalid(["template"], "there is no template", hint))
    }
    const [folder, stack] = shown.split("#")
    const body = yield* Effect.tryPromise({
      try: async () => {
        const path = resolve(directory, folder!)
        return readFile(stack === undefined ? path : await cdkTemplate(path, stack), "utf8")
      },
      catch: (error) =>
        invalid(
          ["template"],
          error instanceof TemplateMistake
            ? `${folder}: ${error.message}`
            : `${shown} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`
        )
    })
    const template = yield* Effect.try({
      try: () => parseTemplate(body),
      catch: (error) => invalid(["template"], `${shown} is no template: ${(error as Error).message}`)
    })
    const declared = Object.keys(template.content.Parameters ?? {})
    const unknown = Object.keys(properties.parameters).find((name) => !declared.includes(name))
    if (unknown !== undefined) {
      const message = `${shown} has no parameter ${unknown}`
      const hint = declared.length === 0 ? "It has none." : `It has ${declared.join(", ")}.`
      return yield* Effect.fail(invalid(["parameters", unknown], message, hint))
    }
    return { ...template, shown }
  })
