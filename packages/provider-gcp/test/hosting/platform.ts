/**
 * A simulator of its own with a site, folders to deploy there, and looks at it that do not go through the provider.
 */
import { DeploymentId, EnvironmentName, StackName, type StackPlan, type StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { testMutation } from "../../../core/src/testing/provider/testMutation.ts"
import { make } from "../../src/hosting/HostingProvider.ts"
import { stepOf } from "../../src/marks.ts"
import { ApiError, type GcpSimulator, startGcpSimulator } from "../../src/testing/index.ts"

export const project = "shop-1"
export const site = "shop"

export const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("web"),
  properties: { site },
  account: project
}

/** A simulator, and a folder with `firebase.json` and the files of each version. */
export interface Platform {
  readonly simulator: GcpSimulator
  readonly directory: string
  readonly close: () => Promise<void>
}

export const refOf = (properties: { readonly [key: string]: unknown } = {}): StackRef => ({
  ...ref,
  properties: { site, ...properties } as StackRef["properties"]
})

export type Files = Readonly<Record<string, string | Uint8Array>>

/** Writes files below a folder. */
export const write = (directory: string, files: Files): void => {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

const versions = ["v1", "v2", "slow", "broken"]

/** Four versions: two that are released, one that is refused, and one that takes its time. */
export const platform = async (files: Files = {}): Promise<Platform> => {
  const simulator = await startGcpSimulator()
  await simulator.hosting.site(project, site)
  simulator.hosting.onFile("/slow.txt", { millis: 700 })
  simulator.hosting.onFile("/broken.txt", {
    millis: 300,
    refuse: new ApiError("INVALID_ARGUMENT", "The version is not valid.")
  })
  const directory = mkdtempSync(join(tmpdir(), "signalbox-hosting-"))
  write(directory, {
    "firebase.json": JSON.stringify({ hosting: { public: "dist", ignore: ["firebase.json", "**/.*"] } }),
    ...Object.fromEntries(versions.map((version) => [`${version}/index.html`, version])),
    ...Object.fromEntries(versions.map((version) => [`${version}/${version}.txt`, `only ${version}`])),
    ...files
  })
  const close = async () => {
    await simulator.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { simulator, directory, close }
}

export const providerOf = ({ directory, simulator }: Platform, endpoint = simulator.hosting.url) =>
  make({
    directory,
    hostingEndpoint: endpoint,
    endpoint: simulator.rest,
    transport: "rest",
    poll: { first: 5, most: 50 }
  })

export const candidate = (version: string) => ({ version, artifact: version })

/** The version that answers at an address; undefined if nothing is there. */
export const shownAt = async (url: string): Promise<string | undefined> => {
  const answer = await fetch(url)
  const text = await answer.text()
  return answer.ok ? text : undefined
}

/** The version that the site shows. */
export const shown = ({ simulator }: Platform): Promise<string | undefined> => shownAt(simulator.hosting.live(site))

/** How many channels show each version. */
export const reachable = async ({ simulator }: Platform): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { url } of simulator.hosting.channels(site)) {
    const version = await shownAt(url)
    if (version !== undefined) counts[version] = (counts[version] ?? 0) + 1
  }
  return counts
}

const marked = (request: Readonly<Record<string, unknown>>, key: string): boolean => {
  const { message = "" } = (request["body"] ?? {}) as { readonly message?: string }
  return message.includes(`[signalbox ${stepOf(key)}`)
}

/**
 * How often a step took effect: the releases that it made. To retire makes none, but removes the channel after the release;
 * what fails has made its version after the last release.
 */
export const effectsOf = ({ simulator }: Platform, key: string): number => {
  const done = simulator.changes.filter(({ failed }) => failed === undefined)
  const since = done.slice(done.findLastIndex(({ method }) => method === "CreateRelease") + 1)
  const made = (method: string) => since.filter((change) => change.method === method).length
  if (key.includes("retire")) return made("DeleteChannel")
  if (key === "failing") return made("CreateVersion")
  return done.filter(({ method, request }) => method === "CreateRelease" && marked(request, key)).length
}

let steps = 0

/** Deploys a version as an engine does it, and returns its plan. */
export const deploy = async (here: Platform, version: string): Promise<StackPlan> => {
  const { plan, stage, traffic } = providerOf(here)
  const mutation = () => testMutation(`step-${++steps}`)
  const planned = await Effect.runPromise(plan(ref, candidate(version)))
  const { id } = planned.candidate
  await Effect.runPromise(stage(ref, { plan: planned, capacityPercent: 100 }, mutation()))
  await Effect.runPromise(traffic!.shift(ref, { releaseId: id, percent: 100 }, mutation()))
  await Effect.runPromise(traffic!.retire(ref, { keep: id, capacityPercent: 0 }, mutation()))
  return planned
}
