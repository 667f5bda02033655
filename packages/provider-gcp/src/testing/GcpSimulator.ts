/**
 * A simulator of Google Cloud's API, for tests: the vendor's own client talks to it.
 */
import type { JsonMessage } from "./Protos.ts"
import type { App } from "./Apps.ts"
import { type CallFault, ReceivedCalls, type RecordedCall } from "./ReceivedCalls.ts"
import { serveGrpc } from "./GrpcApi.ts"
import {
  type Finalizing,
  Hosting,
  hostingService,
  serveHosting,
  type SimulatedHosting,
  simulatedHosting
} from "./hosting/index.ts"
import { Iam } from "./Iam.ts"
import { logging, loggingService } from "./Logging.ts"
import { Monitoring, monitoringService, type SimulatedMonitoring } from "./Monitoring.ts"
import { Protos } from "./Protos.ts"
import { serveRest } from "./RestApi.ts"
import { Run } from "./Run.ts"
import type { ExecutionJson } from "./Execution.ts"
import type { JobJson } from "./Jobs.ts"
import type { ServiceJson } from "./RunState.ts"

/**
 * The options of a simulator.
 *
 * *Details*: all times in milliseconds. `operationMillis` is how long a change of a service takes at least (default 20),
 * and `operationReads` how often the service is read until then (default 0), for counts that do not depend on the
 * machine's speed. `routingMillis` is how long requests are still divided as before after the API says otherwise (default 0).
 * `revisionLimit` is how many revisions of a service are kept (default 1000), `channelLimit` how many preview channels a
 * site may have (default 50).
 */
export interface GcpSimulatorOptions {
  readonly operationMillis?: number
  readonly operationReads?: number
  readonly routingMillis?: number
  readonly revisionLimit?: number
  readonly channelLimit?: number
}

/**
 * A running simulator.
 *
 * *Details*: `grpc` and `rest` are its addresses. `push` makes an image known, and returns its name by digest. `calls` are
 * all calls in the order of their answers, `changes` the calls that change something. `fault` disturbs calls, and returns a
 * function that ends that. `service` is a service as the API shows it; `instances` are its revisions that requests can
 * reach, `images` the image of each of them, as it was pushed. `job` is a job as the API shows it, and `executions` are
 * its executions, oldest first. `create` and `edit` change a service as a person at the console does; `execute` runs a job
 * like that, and `endExecutions` stops what runs of it. `prune` deletes a revision, `pace` changes the times. `actAs` says
 * whether the deployer may deploy what runs as a service account (by default it may; without a name, what runs as the default account of the project). `hosting` is Firebase Hosting,
 * and `monitoring` Cloud Monitoring, at the address of `rest`.
 */
export interface GcpSimulator {
  readonly grpc: string
  readonly rest: string
  readonly push: (image: string, app: App) => string
  readonly calls: ReadonlyArray<RecordedCall>
  readonly changes: ReadonlyArray<RecordedCall>
  readonly fault: (fault: CallFault) => () => void
  readonly service: (name: string) => ServiceJson | undefined
  readonly revisions: (name: string) => ReadonlyArray<string>
  readonly instances: (name: string) => ReadonlyArray<string>
  readonly images: (name: string) => ReadonlyMap<string, string>
  readonly job: (name: string) => JobJson | undefined
  readonly executions: (job: string) => ReadonlyArray<ExecutionJson>
  readonly execute: (job: string) => Promise<void>
  readonly endExecutions: (job: string) => Promise<void>
  readonly edit: (name: string, change: Partial<ServiceJson>) => Promise<void>
  readonly create: (parent: string, id: string, service: Partial<ServiceJson>) => Promise<void>
  readonly prune: (revision: string) => Promise<void>
  readonly actAs: (allowed: boolean, account?: string) => void
  readonly pace: (options: Omit<GcpSimulatorOptions, "revisionLimit" | "channelLimit">) => void
  readonly hosting: SimulatedHosting
  readonly monitoring: SimulatedMonitoring
  readonly close: () => Promise<void>
}

/** It takes 0.2 s to read the definitions, and they never change. */
let definitions: Protos | undefined

const simulated = [
  "google.cloud.run.v2.Services",
  "google.cloud.run.v2.Revisions",
  "google.cloud.run.v2.Jobs",
  "google.cloud.run.v2.Executions",
  "google.longrunning.Operations"
]

/**
 * Starts a simulator on the loopback interface.
 *
 * *Details*: it has Cloud Run: services with their revisions, jobs with their executions, and operations, over gRPC and
 * over REST. Revisions serve requests, which are divided by weight and tag as configured; an execution runs the command of
 * its image to the end.
 * Cloud Monitoring has the requests of the revisions by minute, over REST, and late; Cloud Logging has what processes write.
 * It also has Firebase Hosting, over REST: sites and preview channels answer with the files and the configuration of
 * their version, and rewrites lead to services of Cloud Run.
 *
 * *Example*
 *
 * ```ts
 * const simulator = await startGcpSimulator()
 * simulator.push("example.com/app:v1", { body: "v1" })
 * process.env.CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN = simulator.grpc
 * ```
 */
export const startGcpSimulator = async (options: GcpSimulatorOptions = {}): Promise<GcpSimulator> => {
  const protos = (definitions ??= new Protos())
  const { operationMillis = 20, operationReads = 0, routingMillis = 0 } = options
  const pace = { operationMillis, operationReads, routingMillis }
  const monitoring = new Monitoring()
  const run = new Run(pace, monitoring, options.revisionLimit)
  const finalizing = new Map<string, Finalizing>()
  let ahead = 0
  const hosting = new Hosting({
    now: () => Date.now() + ahead,
    channelLimit: options.channelLimit ?? 50,
    finalizing,
    run: (project, target) => run.address(project, target)
  })
  const iam = new Iam()
  const guarded = Object.entries(run.handlers).map(([service, handlers]) => [service, iam.guarding(handlers)])
  const calls = new ReceivedCalls({
    ...(Object.fromEntries(guarded) as typeof run.handlers),
    ...iam.handlers,
    [hostingService]: hosting.handlers,
    [monitoringService]: monitoring.handlers,
    [loggingService]: logging(run.services)
  })
  const grpc = await serveGrpc(protos, simulated, calls.call)
  const rest = await serveRest(protos, calls.call)
  const sites = await serveHosting(hosting, calls.call)
  const handlers = run.handlers["google.cloud.run.v2.Services"]!
  const person = "someone@example.com"
  return {
    grpc: `http://127.0.0.1:${grpc.port}`,
    rest: `http://127.0.0.1:${rest.port}`,
    push: (image, app) => run.images.push(image, app),
    calls: calls.all,
    get changes() {
      return calls.changes
    },
    fault: (fault) => calls.add(fault),
    service: (name) => run.services.get(name)?.json,
    revisions: (name) => [...(run.services.get(name)?.revisions.keys() ?? [])],
    instances: (name) => {
      const service = run.services.get(name)
      return [...(service?.revisions.keys() ?? [])].filter((revision) => service!.isRouted(revision))
    },
    images: (name) => {
      const revisions = [...(run.services.get(name)?.revisions.values() ?? [])]
      return new Map(revisions.map((revision) => [revision.name, revision.image]))
    },
    job: (name) => run.jobs.jobs.get(name)?.json,
    executions: (name) => (run.jobs.jobs.get(name)?.executions ?? []).map(({ json }) => json),
    execute: async (name) => {
      await run.handlers["google.cloud.run.v2.Jobs"]!["RunJob"]!({ name }, person)
    },
    endExecutions: async (name) => {
      await Promise.all((run.jobs.jobs.get(name)?.executions ?? []).map((one) => one.stop()))
    },
    edit: async (name, change) => {
      const request = { service: { ...change, name }, updateMask: Object.keys(change).join(",") }
      await handlers["UpdateService"]!(request as unknown as JsonMessage, person)
    },
    create: async (parent, serviceId, service) => {
      await handlers["CreateService"]!({ parent, serviceId, service } as unknown as JsonMessage, person)
    },
    prune: (revision) => run.prune(revision),
    actAs: (allowed, account) => iam.actAs(allowed, account),
    pace: (change) => void Object.assign(pace, change),
    hosting: simulatedHosting(hosting, { finalizing, later: (seconds) => void (ahead += seconds * 1000) }),
    monitoring,
    close: async () => {
      grpc.close()
      rest.close()
      sites.close()
      await Promise.all([run.close(), hosting.close()])
    }
  }
}
