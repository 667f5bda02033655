/**
 * The values of a release's secrets, as far as the environment of this command has them.
 */
import * as Effect from "effect/Effect"
import { type ProviderReason, Redaction } from "@signalbox/core/spi"
import { secretsOf } from "./Properties.ts"
import type { MutationHeader, Runtime } from "./supervisor/Protocol.ts"

/** Fails if a secret of a release is not in the environment of this command. */
export const requireSecrets = (runtime: Runtime, env: NodeJS.ProcessEnv): Effect.Effect<void, ProviderReason> => {
  const missing = secretsOf(runtime).find(({ variable }) => env[variable] === undefined)
  return missing === undefined
    ? Effect.void
    : Effect.fail({
        _tag: "Invalid",
        message: `the environment variable ${missing.variable} is not set`,
        path: ["env", missing.property],
        hint: `Set ${missing.variable} where signalbox runs.`
      })
}

/** The secrets of releases; missing ones are left to the supervisor, which may know them. */
export const secretsFor = (
  runtimes: ReadonlyArray<Runtime | null>,
  env: NodeJS.ProcessEnv
): MutationHeader["secrets"] =>
  Object.fromEntries(
    runtimes
      .flatMap((runtime) => (runtime === null ? [] : secretsOf(runtime)))
      .flatMap(({ variable }) => (env[variable] === undefined ? [] : [[variable, env[variable]]]))
  )

/** The output and answers of a release may contain secrets that the supervisor does not know. */
export const redactor = (
  { secrets }: Pick<MutationHeader, "secrets">,
  runtimes: ReadonlyArray<Runtime | null>
): Redaction.Redactor => {
  const env = runtimes
    .flatMap((runtime) => Object.entries(runtime?.env ?? {}))
    .filter((entry): entry is [string, string] => typeof entry[1] === "string")
  return Redaction.make({ env: Object.fromEntries(env), values: Object.values(secrets) })
}
