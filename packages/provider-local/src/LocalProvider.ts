/**
 * The provider for plain processes behind a weighted reverse proxy.
 */
import { existsSync } from "node:fs"
import { stat } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  absent,
  asProviderError,
  type Candidate,
  type Capabilities,
  type Json,
  type Mutation,
  type Observation,
  type Provider,
  ProviderError,
  type ProviderReason,
  reportProgress,
  Redaction,
  type Release,
  type StackPlan,
  type StackRef,
  type WayBack
} from "@signalbox/core/spi"
import { digest, parse, type Source, unpack } from "./Artifact.ts"
import { Client, type SupervisorOptions } from "./Client.ts"
import * as Foreseen from "./Foreseen.ts"
import * as Kept from "./Kept.ts"
import { decode, digestOf, Properties, runtimeOf, secretsOf } from "./Properties.ts"
import type { Files } from "./supervisor/instance/Launch.ts"
import {
  type Held,
  type MutationHeader,
  type Mutations,
  Refusal,
  type ReleaseRecord,
  type Runtime,
  type StackView
} from "./supervisor/Protocol.ts"
import { releaseDirectory } from "./supervisor/Paths.ts"

/**
 * Where a local provider keeps its files and how it finds others.
 *
 * *Details*: `directory` the `.signalbox` folder; `cwd` the base of relative artifacts (default the working directory);
 * `env` where secrets are looked up (default the process's environment).
 */
export interface LocalOptions {
  readonly directory: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly supervisor?: SupervisorOptions
}

/** What a stack names as its provider. */
export const kind = "local"

/** Every operation of the provider. */
export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: true,
  fencing: "compared",
  outputs: ["url", "port"]
}

/** The data of a local checkpoint besides the release. */
const runtimeIn = (data: Json): Runtime | null =>
  typeof data === "object" && data !== null && "runtime" in data ? (data.runtime as unknown as Runtime) : null

/**
 * Creates the provider of kind `local`: a stack is a group of processes on this machine behind a reverse proxy that
 * divides requests by weight.
 *
 * *When to use*: on a laptop, in tests and examples, on a single server; and as the reference for other adapters.
 *
 * *Details*: processes and proxy belong to a supervisor that starts when it is first needed and outlives the caller. It
 * ends when the last stack is destroyed. Everything is on the loopback interface.
 *
 * *Errors*: `ProviderError`; `Broken` with the end of the process's log if a release does not become ready.
 *
 * *Example*
 *
 * ```ts
 * const local = LocalProvider.make({ directory: ".signalbox" })
 * const layer = Providers.layer([local])
 * ```
 */
export const make = (options: LocalOptions): Provider => {
  const client = new Client(options.directory, options.supervisor)
  const cwd = options.cwd ?? process.cwd()
  const env = options.env ?? process.env

  const named = asProviderError(kind)

  const observed = (view: StackView | null): Observation => view?.observation ?? absent

  const sourceOf = (
    ref: StackRef,
    candidate: Candidate,
    properties: Properties
  ): Effect.Effect<Source, ProviderReason> => {
    const given = candidate.artifact ?? properties.artifact
    if (given === undefined) {
      return Effect.fail({
        _tag: "Invalid",
        message: "there is no artifact",
        path: ["artifact"],
        hint: `Give ${ref.stack} an artifact in its properties, or the deployment one with --artifact.`
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

  /** Fails if a secret of a release is not in the environment of this command. */
  const needSecrets = (runtime: Runtime): Effect.Effect<void, ProviderReason> => {
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
  const secretsFor = (runtimes: ReadonlyArray<Runtime | null>): Record<string, string> =>
    Object.fromEntries(
      runtimes
        .flatMap((runtime) => (runtime === null ? [] : secretsOf(runtime)))
        .flatMap(({ variable }) => (env[variable] === undefined ? [] : [[variable, env[variable]]]))
    )

  const mutate = <Operation extends keyof Mutations>(
    operation: Operation,
    ref: StackRef,
    mutation: Mutation,
    body: Mutations[Operation],
    runtimes: ReadonlyArray<Runtime | null> = []
  ): Effect.Effect<Observation, ProviderReason | ProviderError> =>
    Effect.gen(function* () {
      // Every operation sends its secrets: the supervisor that executes it may be a new one without any.
      const configured = yield* Effect.match(decode(ref.properties), { onFailure: () => null, onSuccess: runtimeOf })
      const header: Omit<MutationHeader, "order"> = {
        ...keyOf(ref),
        idempotencyKey: mutation.idempotencyKey,
        fence: mutation.fence,
        secrets: operation === "destroy" ? {} : secretsFor([configured, ...runtimes])
      }
      return observed(
        yield* client
          .mutate(operation, header, body, {
            guard: mutation.guard,
            progress: (message, resource) =>
              reportProgress(mutation, message, resource === undefined ? {} : { resource })
          })
          .pipe(
            Effect.mapError((error) =>
              "_tag" in error && error._tag === "Broken"
                ? { ...error, message: redactor(header, [configured, ...runtimes]).redact(error.message) }
                : error
            )
          )
      )
    })

  const folderIn = (ref: StackRef, release: Release) => releaseDirectory(client.directory, keyOf(ref), release.digest!)

  const runtimeFrom = (ref: StackRef) => Effect.map(decode(ref.properties), runtimeOf)

  return {
    kind,
    capabilities,
    properties: Properties,
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const runtime = runtimeOf(properties)
        yield* needSecrets(runtime)
        const source = yield* sourceOf(ref, candidate, properties)
        yield* foreseen(() => Foreseen.environment(runtime, env))
        const files = yield* reaching(() => folderOf(source))
        if (files !== undefined) {
          yield* foreseen(() => Foreseen.holdsState(files.root, files.shown, client.directory))
          yield* foreseen(() => Foreseen.command(runtime, files))
        }
        const path = runtime.env["PATH"]
        // The supervisor looks up programs; its PATH comes from the command that started it.
        if (path !== undefined || !client.holdsStacks) {
          yield* foreseen(() => Foreseen.program(runtime, typeof path === "string" ? path : env["PATH"]))
        }
        const view = yield* client.observe(keyOf(ref))
        yield* foreseen(() => Foreseen.port(client.directory, keyOf(ref), runtime.port, view))
        const found = yield* reaching((signal) => digest(source, signal))
        const configDigest = digestOf(runtime)
        const release: Release = {
          id: digestOf([found, configDigest, candidate.version]).slice(0, 24),
          version: candidate.version,
          artifact: source.shown,
          digest: found,
          configDigest
        }
        return describe(ref, release, runtime, view, yield* Clock.currentTimeMillis)
      }).pipe(named("plan", ref)),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      Effect.gen(function* () {
        const properties = yield* decode(ref.properties)
        const release = plan.candidate
        const source = yield* sourceOf(
          ref,
          { version: release.version, ...(release.artifact === undefined ? {} : { artifact: release.artifact }) },
          properties
        )
        yield* mutation.guard
        const run = Effect.runPromiseWith(yield* Effect.context())
        yield* reaching((signal) =>
          unpack(
            source,
            release.digest!,
            releaseDirectory(client.directory, keyOf(ref), release.digest!),
            signal,
            (message) => run(reportProgress(mutation, message))
          )
        )
        const runtime = runtimeOf(properties)
        // The content of an archive is known only now.
        const root = releaseDirectory(client.directory, keyOf(ref), release.digest!)
        yield* foreseen(() => Foreseen.command(runtime, { root, shown: source.shown, open: false }))
        return yield* mutate("stage", ref, mutation, { record: { release, runtime }, capacityPercent }, [
          runtime,
          runtimeIn(plan.checkpoint.data)
        ])
      }).pipe(named("stage", ref)),
    observe: (ref) => Effect.map(client.observe(keyOf(ref)), observed).pipe(named("observe", ref)),
    rollback: (ref, checkpoint, mutation) =>
      Effect.gen(function* () {
        const runtime = runtimeIn(checkpoint.data)
        const record: ReleaseRecord | null =
          checkpoint.release === null || runtime === null ? null : { release: checkpoint.release, runtime }
        const folder = record === null ? undefined : folderIn(ref, record.release)
        if (folder !== undefined && !existsSync(folder)) {
          yield* mutation.guard
          const run = Effect.runPromiseWith(yield* Effect.context())
          const report = (message: string) => run(reportProgress(mutation, message))
          yield* reaching((signal) => Kept.unpackAgain(record!.release, folder, { cwd, env, report, signal }))
        }
        return yield* mutate("rollback", ref, mutation, { checkpoint, record }, [runtime])
      }).pipe(named("rollback", ref)),
    canGoBack: (ref, { data, release }) =>
      Effect.gen(function* (): Effect.fn.Return<WayBack, ProviderReason> {
        const runtime = runtimeIn(data)
        if (release === null || runtime === null) return { how: "switch", why: "nothing was there before" }
        yield* needSecrets(runtime)
        if (existsSync(folderIn(ref, release))) {
          const { health } = observed(yield* client.observe(keyOf(ref)))
          return (health[release.id]?.healthy ?? 0) > 0
            ? { how: "switch", why: `the processes of ${release.version} are still running` }
            : { how: "rebuild", why: `${release.version} is started again from its files` }
        }
        return yield* Effect.matchEffect(
          reaching((signal) => Kept.checkAgain(release, { cwd, env, signal })),
          {
            onFailure: (reason) =>
              reason._tag === "Missing"
                ? Effect.succeed<WayBack>({ how: "impossible", why: reason.message })
                : Effect.fail(reason),
            onSuccess: () =>
              Effect.succeed<WayBack>({ how: "rebuild", why: `the files of ${release.version} are fetched again` })
          }
        )
      }).pipe(named("canGoBack", ref)),
    destroy: (ref, mutation) => Effect.asVoid(mutate("destroy", ref, mutation, {})).pipe(named("destroy", ref)),
    traffic: {
      shift: (ref, body, mutation) => mutate("shift", ref, mutation, body).pipe(named("shift", ref)),
      retire: (ref, body, mutation) => mutate("retire", ref, mutation, body).pipe(named("retire", ref))
    },
    metrics: {
      resolution: Duration.zero,
      lag: Duration.zero,
      measure: (ref, { from, releaseId, to }) =>
        Effect.map(client.measure(keyOf(ref), { releaseId, windowMillis: to - from }), (counted) => ({
          ...counted,
          until: to
        })).pipe(named("measure", ref))
    },
    drift: {
      detect: (ref) =>
        Effect.flatMap(runtimeFrom(ref), (runtime) =>
          client.detect(keyOf(ref), { configDigest: digestOf(runtime) })
        ).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        Effect.andThen(decode(ref.properties), mutate("correct", ref, mutation, { fields })).pipe(named("correct", ref))
    },
    logs: {
      read: (ref, options) =>
        Effect.gen(function* () {
          const runtime = yield* Effect.match(decode(ref.properties), { onFailure: () => null, onSuccess: runtimeOf })
          const secrets = secretsFor([runtime])
          const page = yield* client.logs(keyOf(ref), { ...options, secrets })
          const { redact } = redactor({ secrets }, [runtime])
          return { ...page, lines: page.lines.map((line) => ({ ...line, text: redact(line.text) })) }
        }).pipe(named("logs", ref))
    },
    restart: (ref, mutation) =>
      Effect.andThen(decode(ref.properties), mutate("restart", ref, mutation, {})).pipe(named("restart", ref)),
    exclusive: ({ properties }) => {
      const port = (properties as { readonly port?: unknown } | null)?.port
      return typeof port === "number" && port !== 0 ? [{ name: `port ${port}`, path: ["port"] }] : []
    },
    fence: ({ deploymentId, environment }, fence) =>
      Effect.mapError(
        client.fence({ deploymentId, environment, stack: "" }, fence),
        (reason) => new ProviderError({ provider: kind, operation: "fence", stackName: "", reason })
      )
  }
}

/**
 * Stops the supervisor of a directory and all its processes. Deployed stacks return with the next mutating operation.
 */
export const stop = (directory: string): Effect.Effect<void, ProviderError> =>
  Effect.mapError(
    new Client(directory, undefined).stop,
    (reason) => new ProviderError({ provider: kind, operation: "stop", stackName: "", reason })
  )

/**
 * Lists what the supervisor of a directory has, whatever any store knows of it. Starts nothing.
 */
export const held = (directory: string): Effect.Effect<Held, ProviderError> =>
  Effect.mapError(
    new Client(directory, undefined).held,
    (reason) => new ProviderError({ provider: kind, operation: "held", stackName: "", reason })
  )

/**
 * Stops stacks of a directory without the lease of their environment, and forgets the fences of their environments.
 *
 * *When to use*: if the store that knew them is gone, and no execution can take them over.
 */
export const abandon = (
  { directory, supervisor }: Pick<LocalOptions, "directory" | "supervisor">,
  what: Parameters<Client["abandon"]>[0]
): Effect.Effect<void, ProviderError> =>
  Effect.mapError(
    new Client(directory, supervisor).abandon(what),
    (reason) => new ProviderError({ provider: kind, operation: "abandon", stackName: "", reason })
  )

const keyOf = ({ deploymentId, environment, stack }: StackRef) => ({ deploymentId, environment, stack })

const refusing = <A>(run: () => A): Effect.Effect<A, ProviderReason> => Effect.try({ try: run, catch: classify })

/** The output and answers of a release may contain secrets that the supervisor does not know. */
const redactor = (
  { secrets }: Pick<MutationHeader, "secrets">,
  runtimes: ReadonlyArray<Runtime | null>
): Redaction.Redactor => {
  const env = runtimes
    .flatMap((runtime) => Object.entries(runtime?.env ?? {}))
    .filter((entry): entry is [string, string] => typeof entry[1] === "string")
  return Redaction.make({ env: Object.fromEntries(env), values: Object.values(secrets) })
}

/** Fails with the detected mistake. */
const foreseen = (
  look: () => ProviderReason | undefined | Promise<ProviderReason | undefined>
): Effect.Effect<void, ProviderReason> =>
  Effect.flatMap(
    reaching(async () => look()),
    (found) => (found === undefined ? Effect.void : Effect.fail(found))
  )

/** The folder of a folder artifact. */
const folderOf = async ({ location, shown }: Source): Promise<Files | undefined> => {
  if ("url" in location) return undefined
  const found = await stat(location.path).catch(() => undefined)
  return found?.isDirectory() === true ? { root: location.path, shown, open: true } : undefined
}

const reaching = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ProviderReason> =>
  Effect.tryPromise({ try: run, catch: (error) => error }).pipe(
    // The hint of an unexpected error says that this adds details.
    Effect.tapError((error) => {
      const cause = error instanceof Refusal ? error.cause : error
      return cause === undefined ? Effect.void : Effect.logDebug("the artifact could not be read or copied", cause)
    }),
    Effect.mapError(classify)
  )

const classify = (error: unknown): ProviderReason => {
  if (error instanceof Refusal) return error.reason
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return { _tag: "Denied", message: `not allowed: ${code}` }
  if (code === "ENOSPC" || code === "EDQUOT") return { _tag: "Unavailable", message: "the disk is full" }
  return { _tag: "Unexpected", message: message ?? String(error) }
}

const describe = (
  ref: StackRef,
  release: Release,
  runtime: Runtime,
  view: StackView | null,
  takenAt: number
): StackPlan => {
  const seen = view?.observation ?? absent
  const stable = view?.stable ?? null
  const carries = seen.traffic.find(({ releaseId }) => releaseId === release.id)?.percent ?? 0
  const same = stable?.release.id === release.id
  const stopped = view?.stopped === true
  const none = same && seen.candidate === null && !stopped && (carries === 100 || seen.status === "failed")
  const processes = `${runtime.instances} ${runtime.instances === 1 ? "process" : "processes"}`
  const named = namesOf(release, stable?.release ?? null, seen.candidate)
  const changes = none
    ? []
    : [
        stable === null
          ? `start ${processes} of ${release.version} behind a new proxy${runtime.port === 0 ? "" : ` on port ${runtime.port}`}`
          : same && stopped
            ? `start ${processes} of ${named(release)} again`
            : `start ${processes} of ${named(release)} beside ${named(stable.release)}`,
        ...(stable === null ? [] : differences(stable, { release, runtime }))
      ]
  return {
    action: none ? "none" : stable === null ? "create" : "update",
    candidate: release,
    checkpoint: {
      release: stable?.release ?? null,
      takenAt,
      data: stable === null ? null : { runtime: stable.runtime as unknown as Json, traffic: seen.traffic }
    },
    changes,
    rollback:
      stable === null
        ? `${ref.stack} goes away: its processes are stopped and its port is given back`
        : `all traffic goes back to ${named(stable.release)}, whose files are kept; ${named(release)} is drained and stopped`,
    warnings: [
      ...(seen.candidate === null || seen.candidate.id === release.id
        ? []
        : [`${named(seen.candidate)} was left half brought in; it is taken away`]),
      ...(seen.operation === null ? [] : [`an operation is in progress: ${seen.operation.description}`]),
      ...(seen.status === "failed"
        ? [seen.reason ?? `no process of ${stable === null ? release.version : named(stable.release)} is ready`]
        : [])
    ]
  }
}

/**
 * Names releases by their version; releases of the same version also by the first digits of the digest in which they
 * differ.
 */
const namesOf = (...all: ReadonlyArray<Release | null>) => {
  const digits = (digest: string | undefined) => (digest ?? "").replace("sha256:", "").slice(0, 12)
  return (release: Release): string => {
    const others = all.filter((other) => other?.version === release.version && other.id !== release.id)
    if (others.length === 0) return release.version
    const artifact = others.some((other) => other?.digest !== release.digest) ? [digits(release.digest)] : []
    const config = others.some((other) => other?.digest === release.digest)
      ? [`configuration ${digits(release.configDigest)}`]
      : []
    return `${release.version} (${[...artifact, ...config].join(", ")})`
  }
}

const differences = (before: ReleaseRecord, after: ReleaseRecord): ReadonlyArray<string> => {
  const changes: Array<string> = []
  if (before.release.digest !== after.release.digest) changes.push("the artifact changes")
  const [old, fresh] = [before.runtime, after.runtime]
  for (const name of new Set([...Object.keys(old.env), ...Object.keys(fresh.env)])) {
    // Names only: values may be confidential.
    if (JSON.stringify(old.env[name]) !== JSON.stringify(fresh.env[name])) changes.push(`env.${name} changes`)
  }
  for (const key of ["command", "cwd", "instances", "readiness", "port", "drain", "grace", "keep"] as const) {
    if (JSON.stringify(old[key]) !== JSON.stringify(fresh[key])) changes.push(`${key} changes`)
  }
  return changes
}
