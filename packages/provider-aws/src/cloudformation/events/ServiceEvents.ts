/**
 * What ECS says about services that take long to stabilise: CloudFormation only says that they are in progress.
 */
import type { StackEvent } from "@aws-sdk/client-cloudformation"
import type { ProviderEvent, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, awsReason } from "../../client/index.ts"
import { timeOf } from "./StackEvents.ts"

/** A service that is not stable yet: `since` when, by the clock of this host, and `from` when on its events count. */
interface Waiting {
  readonly arn: string
  readonly resource: string
  readonly since: number
  readonly from: number
  readonly told: Set<string>
}

const servicePattern = /^arn:[^:]+:ecs:[^:]+:\d+:service\/(?:([^/]+)\/)?[^/]+$/

export class ServiceEvents {
  readonly #aws: Aws
  readonly #place: AwsPlace
  readonly #after: number
  readonly #waiting = new Map<string, Waiting>()
  #denied = false

  /** `after` is how long a service may take before its events are of interest, in milliseconds. */
  constructor(aws: Aws, place: AwsPlace, after: number) {
    this.#aws = aws
    this.#place = place
    this.#after = after
  }

  /** Takes note of new events of stacks, and reads what the services say that have been in progress for long. */
  after(events: ReadonlyArray<StackEvent>): Effect.Effect<ReadonlyArray<ProviderEvent>> {
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      for (const event of events) this.#note(event, now)
      const found: Array<ProviderEvent> = []
      for (const service of this.#waiting.values()) {
        if (this.#denied || now - service.since < this.#after) continue
        // They only explain: without them, the deployment goes on.
        found.push(...(yield* Effect.catch(this.#read(service), (reason) => this.#without(reason))))
      }
      return found
    })
  }

  #note(event: StackEvent, now: number): void {
    const { LogicalResourceId = "", PhysicalResourceId = "", ResourceStatus = "", ResourceType } = event
    if (ResourceType !== "AWS::ECS::Service" || !servicePattern.test(PhysicalResourceId)) return
    if (!ResourceStatus.endsWith("_IN_PROGRESS")) return void this.#waiting.delete(PhysicalResourceId)
    if (this.#waiting.has(PhysicalResourceId)) return
    this.#waiting.set(PhysicalResourceId, {
      arn: PhysicalResourceId,
      resource: LogicalResourceId,
      since: now,
      from: timeOf(event),
      told: new Set()
    })
  }

  #without({ _tag }: ProviderReason): Effect.Effect<ReadonlyArray<ProviderEvent>> {
    if (_tag === "Denied") this.#denied = true
    return Effect.succeed([])
  }

  #read({ arn, from, resource, told }: Waiting): Effect.Effect<ReadonlyArray<ProviderEvent>, ProviderReason> {
    const cluster = servicePattern.exec(arn)?.[1]
    return Effect.tryPromise({
      try: async (abortSignal) => {
        const client = await this.#aws.ecs(this.#place)
        const input = { services: [arn], ...(cluster === undefined ? {} : { cluster }) }
        const { services = [] } = await client.describeServices(input, { abortSignal })
        return (services[0]?.events ?? [])
          .filter(({ createdAt, id = "" }) => (createdAt?.getTime() ?? 0) >= from && !told.has(id))
          .map(({ createdAt, id = "", message = "" }): ProviderEvent => {
            told.add(id)
            const at = createdAt?.getTime() ?? 0
            return { id: `${at}/${id}`, at, message, resource, resourceType: "AWS::ECS::Service" }
          })
          .reverse()
      },
      catch: (error) => awsReason(error, "ecs:DescribeServices")
    })
  }
}
