import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { capabilities } from "../../src/hosting/HostingProvider.ts"
import { ApiError, retryInfo } from "../../src/testing/index.ts"
import {
  candidate,
  effectsOf,
  type Platform,
  platform,
  providerOf,
  reachable,
  ref,
  shown,
  site,
  write
} from "./platform.ts"

type ProviderHarness = ProviderSuite.ProviderHarness

interface Harness extends ProviderHarness {
  readonly platform: Platform
}

const simulatorOf = (harness: ProviderHarness) => (harness as Harness).platform.simulator

const harness = Effect.gen(function* () {
  const here = yield* Effect.acquireRelease(
    Effect.promise(() => platform()),
    ({ close }) => Effect.promise(close)
  )
  const provider = Effect.sync(() => providerOf(here))
  const { hosting } = here.simulator
  return {
    platform: here,
    provider: yield* provider,
    another: provider,
    ref,
    candidates: { v1: candidate("v1"), v2: candidate("v2"), slow: candidate("slow"), broken: candidate("broken") },
    live: Effect.promise(async () => void (await hosting.deploy(site, { "/index.html": "v1" }))),
    change: (which) => Effect.sync(() => write(here.directory, { [`${which}/index.html`]: "another" })),
    forget: ({ id }) =>
      Effect.sync(() => {
        const { name } = hosting.versions(site).find(({ labels }) => labels?.["signalbox-release"] === id)!
        hosting.mark(name, "DELETED")
      }),
    probe: {
      traffic: Effect.promise(async () => {
        const version = await shown(here)
        return version === undefined ? {} : { [version]: 100 }
      }),
      capacity: Effect.promise(() => reachable(here)),
      effects: (key: string) => Effect.sync(() => effectsOf(here, key))
    }
  } satisfies Harness
})

/** Refuses every call until it is over. */
const refusing = (error: () => ApiError) => {
  const ends = new WeakMap<object, () => void>()
  return {
    begin: (harness: ProviderHarness) =>
      Effect.sync(() => void ends.set(harness, simulatorOf(harness).fault({ refuse: error() }))),
    end: (harness: ProviderHarness) => Effect.sync(() => ends.get(harness)!())
  }
}

ProviderSuite.suite("gcp:firebase-hosting", {
  capabilities,
  groups: ["drift", "canGoBack"],
  timeoutMillis: 900_000,
  make: harness,
  credentials: refusing(() => new ApiError("UNAUTHENTICATED", "Request had invalid authentication credentials.")),
  throttling: refusing(() => new ApiError("RESOURCE_EXHAUSTED", "Too many requests.", [retryInfo(2)])),
  loseAnswer: (harness) =>
    Effect.sync(() => void simulatorOf(harness).fault({ method: /^(Create|Update|Delete)/, nth: 1, lost: true }))
})
