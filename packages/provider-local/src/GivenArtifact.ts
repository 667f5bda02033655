/**
 * The artifact that a stack is deployed with: the one of the deployment, or the one of its properties.
 */
import { stat } from "node:fs/promises"
import * as Effect from "effect/Effect"
import type { Candidate, ProviderReason, StackRef } from "@signalbox/core/spi"
import { parse, type Source } from "./Artifact.ts"
import { refusing } from "./Failures.ts"
import type { Properties } from "./Properties.ts"
import type { Files } from "./supervisor/instance/Launch.ts"

/** Where it comes from; relative paths start at `cwd`. */
export const sourceOf = (
  { stack }: StackRef,
  candidate: Candidate,
  properties: Properties,
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }
): Effect.Effect<Source, ProviderReason> => {
  const given = candidate.artifact ?? properties.artifact
  if (given === undefined) {
    return Effect.fail({
      _tag: "Invalid",
      message: "there is no artifact",
      path: ["artifact"],
      hint: `Give ${stack} an artifact in its properties, or the deployment one with --artifact.`
    })
  }
  // A plan names the artifact without its digest.
  const own = given === properties.artifact || given === properties.artifact?.replace(/#sha256=[^#]*$/, "")
  return refusing(() =>
    own
      ? parse(properties.artifact!, "properties", properties.digest, cwd, env)
      : parse(given, "deployment", undefined, cwd, env)
  )
}

/** The files of an artifact that is a folder. */
export const folderOf = async ({ location, shown }: Source): Promise<Files | undefined> => {
  if ("url" in location) return undefined
  const found = await stat(location.path).catch(() => undefined)
  return found?.isDirectory() === true ? { root: location.path, shown, open: true } : undefined
}
