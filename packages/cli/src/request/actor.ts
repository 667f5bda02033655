import * as Option from "effect/Option"
import type { Invocation } from "../main/Invocation.ts"

/** The actor: the flag, the setting, the CI job's user, the user of this machine. */
export const actor = ({ host, settings }: Invocation, given: Option.Option<string>): string => {
  const named = Option.getOrUndefined(given) ?? settings.actor ?? host.env.GITHUB_ACTOR
  if (named) return named
  try {
    return process.getBuiltinModule("node:os").userInfo().username || "unknown"
  } catch {
    // A container may run as a user id that has no name.
    return host.env.USER || "unknown"
  }
}
