import {
  DeploymentId,
  EnvironmentName,
  type Provider,
  ProviderError,
  StackName,
  type StackRef
} from "@signalbox/core/spi"
import { ProviderSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { capabilities, make } from "./SiteProvider.ts"

const ref: StackRef = {
  deploymentId: DeploymentId.make("DX6604E"),
  environment: EnvironmentName.make("test"),
  stack: StackName.make("site"),
  properties: {}
}

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "site-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true }))
)

/** The operation whose next answer is lost after its effect. */
let lost: ProviderSuite.AnsweredOperation | undefined

const losing = (provider: Provider): Provider => {
  const cut = <A>(operation: ProviderSuite.AnsweredOperation, call: Effect.Effect<A, ProviderError>) =>
    Effect.flatMap(call, (answer) => {
      if (lost !== operation) return Effect.succeed(answer)
      lost = undefined
      const reason = { _tag: "Unavailable", message: "the connection was cut" } as const
      return Effect.fail(new ProviderError({ provider: provider.kind, operation, stackName: ref.stack, reason }))
    })
  const { retire, shift } = provider.traffic!
  return {
    ...provider,
    stage: (...given) => cut("stage", provider.stage(...given)),
    rollback: (...given) => cut("rollback", provider.rollback(...given)),
    destroy: (...given) => cut("destroy", provider.destroy(...given)),
    traffic: {
      shift: (...given) => cut("shift", shift(...given)),
      retire: (...given) => cut("retire", retire(...given))
    }
  }
}

const harness = Effect.gen(function* () {
  const directory = yield* temporary
  const site = join(directory, "sites/DX6604E-test-site")
  const artifact = (version: string) => join(directory, version)
  for (const version of ["v1", "v2", "slow", "broken"]) {
    yield* Effect.promise(async () => {
      await mkdir(artifact(version))
      await writeFile(join(artifact(version), version === "broken" ? "index.htm" : "index.html"), version)
    })
  }
  const candidate = (version: string) => ({ version, artifact: artifact(version) })
  const page = (folder: string) => readFile(join(folder, "index.html"), "utf8")
  const made = () =>
    make({
      directory: join(directory, "sites"),
      publish: (from, to) =>
        Effect.andThen(
          Effect.sleep(from.endsWith("slow") ? 600 : 0),
          Effect.tryPromise(() => cp(from, to, { recursive: true }))
        )
    })
  return {
    provider: losing(made()),
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
    forget: ({ id }: { readonly id: string }) => Effect.promise(() => rm(join(site, "kept", id), { recursive: true })),
    // The probe looks at the files, past the provider.
    probe: {
      traffic: Effect.promise(() =>
        page(join(site, "current")).then(
          (version): Record<string, number> => ({ [version]: 100 }),
          () => ({})
        )
      ),
      capacity: Effect.promise(async () => {
        const ids = await readdir(join(site, "releases")).catch(() => [])
        const versions = await Promise.all(ids.map((id) => page(join(site, "releases", id))))
        return Object.fromEntries(versions.map((version) => [version, 1]))
      })
    }
  }
})

ProviderSuite.suite("a static site", {
  capabilities,
  groups: ["canGoBack"],
  make: harness,
  loseAnswer: (_, operation) => Effect.sync(() => void (lost = operation)),
  classify: [
    {
      name: "the folder to publish is not there",
      reason: "Missing",
      provoke: ({ provider, ref }) => provider.plan(ref, { version: "v3", artifact: "/no/such/folder" })
    },
    {
      name: "no folder to publish is given",
      reason: "Invalid",
      provoke: ({ provider, ref }) => provider.plan(ref, { version: "v3" })
    }
  ]
})
