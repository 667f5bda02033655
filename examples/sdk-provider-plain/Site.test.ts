import { fromPlugin } from "@signalbox/core/plugin"
import { DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { site } from "./index.ts"
import { make } from "./Site.ts"

const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("site"),
  properties: {}
}

const plugin = site().providers!.site!

const harness = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "site-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
  const folder = join(directory, "sites/DX6604E-test-site")
  const artifact = (version: string) => join(directory, version)
  yield* Effect.promise(async () => {
    for (const version of ["v1", "v2", "slow", "broken"]) {
      await mkdir(artifact(version))
      await writeFile(join(artifact(version), version === "broken" ? "index.htm" : "index.html"), version)
    }
  })
  const candidate = (version: string) => ({ version, artifact: artifact(version) })
  const page = (release: string) => readFile(join(release, "index.html"), "utf8")
  const made = () => {
    const provider = make(join(directory, "sites"), async (from, to) => {
      await setTimeout(from.endsWith("slow") ? 600 : 0)
      await cp(from, to, { recursive: true })
    })
    return fromPlugin("site", { ...plugin, load: () => provider }, { directory, stateDirectory: directory })
  }
  return {
    provider: made(),
    // It shares nothing with the first one but the folder, as in another process.
    another: Effect.sync(made),
    ref,
    candidates: {
      v1: candidate("v1"),
      v2: candidate("v2"),
      broken: candidate("broken"),
      slow: candidate("slow")
    },
    change: (version: string) =>
      Effect.promise(() => writeFile(join(artifact(version), "index.html"), `${version}, changed`)),
    forget: ({ id }: { readonly id: string }) =>
      Effect.promise(() => rm(join(folder, "kept", id), { recursive: true })),
    // The probe looks at the files, past the provider.
    probe: {
      traffic: Effect.promise(() =>
        page(join(folder, "current")).then(
          (version): Record<string, number> => ({ [version]: 100 }),
          () => ({})
        )
      ),
      capacity: Effect.promise(async () => {
        const ids = await readdir(join(folder, "releases")).catch(() => [])
        const versions = await Promise.all(ids.map((id) => page(join(folder, "releases", id))))
        return Object.fromEntries(versions.map((version) => [version, 1]))
      })
    }
  }
})

ProviderSuite.suite("a static site without Effect", {
  capabilities: plugin.capabilities,
  groups: ["canGoBack"],
  make: harness,
  classify: [
    {
      name: "the folder to publish is not there",
      reason: "Missing",
      provoke: ({ provider, ref }) => provider.plan(ref, { version: "v3", artifact: "/no/such/folder" })
    }
  ]
})
