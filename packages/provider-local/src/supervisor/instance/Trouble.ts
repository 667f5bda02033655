/**
 * Why an instance is not running or not ready, and what helps.
 */
import type { Runtime } from "../Protocol.ts"
import { placesOf } from "./Listening.ts"
import type { Identity } from "./Processes.ts"
import type { Answer } from "./Readiness.ts"

/** Why it is not running, and what helps, if known. */
export interface Trouble {
  readonly reason: string
  readonly hint?: string
}

interface Unready {
  readonly runtime: Runtime
  readonly instance: string
  readonly port: number
  readonly identity: Identity | undefined
  readonly answer: Answer | undefined
  readonly redact: (text: string) => string
}

/** Why it is not ready: its last answer, and where it listens if that is somewhere else. */
export const unready = ({ answer, identity, instance, port, redact, runtime: { readiness } }: Unready): Trouble => {
  const seen = redact(answer?.seen ?? `GET ${readiness.path} was not answered`)
  const places = identity === undefined ? undefined : placesOf(identity, instance)
  const others = places?.filter((place) => place.port !== port || answer?.why === "refused")
  const elsewhere =
    places === undefined || answer?.why !== "refused"
      ? ""
      : others!.length === 0
        ? "; it listens on no port"
        : `; it listens on ${others!.map((place) => `${place.address}:${place.port}`).join(", ")}`
  const hints = {
    status:
      "Set readiness.path to a path that it answers with 2xx or 3xx. The request names 127.0.0.1 or [::1] as its host.",
    silent: "Set readiness.path to a path that it answers at once, or raise readiness.timeout.",
    refused: `It has to listen on the port that the environment variable PORT names (here ${port}), on 127.0.0.1 or ::1.`,
    broken: "It has to speak HTTP on the port that the environment variable PORT names.",
    well: "Raise readiness.timeout."
  }
  return {
    reason: `it was not ready within ${readiness.timeout} ms: ${seen}${elsewhere}`,
    hint: hints[answer?.why ?? "silent"]
  }
}
