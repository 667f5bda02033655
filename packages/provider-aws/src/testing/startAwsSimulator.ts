/**
 * A simulator of AWS as far as services behind an Application Load Balancer need it: the vendor's own clients talk to it, and
 * real requests go through it.
 */
import { Alarms, evaluationInterval } from "./cloudwatch/Alarms.ts"
import { metricOperations } from "./cloudwatch/metrics.ts"
import { MetricStore, minute } from "./cloudwatch/MetricStore.ts"
import { AutoScaling } from "./autoscaling/AutoScaling.ts"
import { autoScalingGroupOperations } from "./autoscaling/groups.ts"
import { refreshOperations } from "./autoscaling/refreshes.ts"
import { type Control, controlled } from "./Control.ts"
import type { AwsSimulator, AwsSimulatorOptions } from "./AwsSimulator.ts"
import type { App } from "./ec2/Apps.ts"
import { instanceOperations } from "./ec2/instanceOperations.ts"
import { type Instance, Instances } from "./ec2/Instances.ts"
import { LaunchTemplates } from "./ec2/LaunchTemplates.ts"
import { templateOperations } from "./ec2/templates.ts"
import { balancerOperations } from "./elb/balancers.ts"
import { groupOperations } from "./elb/groups.ts"
import { LoadBalancing } from "./elb/LoadBalancing.ts"
import { ruleOperations } from "./elb/rules.ts"
import { tagOperations } from "./elb/tags.ts"
import { Traffic } from "./elb/Traffic.ts"
import { faultsOf } from "./Faults.ts"
import { identityOperations } from "./identity.ts"
import { type Ledger, LedgerOf } from "./Ledger.ts"
import type { Place } from "./Place.ts"
import { randomOf } from "./Random.ts"
import { seedService, type SeedOptions } from "./seed.ts"
import { SimulatedClock } from "./SimulatedClock.ts"
import { otherCaller, ReceivedCalls } from "./wire/ReceivedCalls.ts"
import { Endpoint, type Service } from "./wire/Endpoint.ts"

/**
 * Starts a simulator on the loopback interface.
 *
 * *Details*: it has about 50 operations of Elastic Load Balancing, Auto Scaling, EC2, CloudWatch and STS; anything else is
 * refused with `InvalidAction`. Instances are servers, or processes, that their launch template leads to.
 *
 * *Example*
 *
 * ```ts
 * const simulator = await startAwsSimulator({ scale: 60, apps: { "s3://shop/v1": { body: "v1" } } })
 * const service = await simulator.seed({ source: "s3://shop/v1" })
 * process.env.AWS_ENDPOINT_URL = simulator.endpoint
 * const answer = await fetch(simulator.listenerUrl(service.listener))
 * ```
 */
export const startAwsSimulator = async (options: AwsSimulatorOptions = {}): Promise<AwsSimulator> => {
  const { account = "111122223333", apps = {}, nodes = 2, region = "eu-central-1", scale = 1, seed = 1 } = options
  const random = randomOf(seed)
  const id = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("")
  const place: Place = { account, region, id }
  const clock = new SimulatedClock(scale)
  const metrics = new MetricStore(clock, options.metricsLateMillis ?? 120_000)
  const alarms = new Alarms(place, clock, metrics)
  const traffic = new Traffic(metrics)
  const instances = new Instances(place, clock, random)
  const templates = new LaunchTemplates(place, clock)
  const calls = new ReceivedCalls(clock)
  const { idleMillis = 60_000, pageSize = 100 } = options
  let delays = options.weightMillis ?? [1000, 3000]
  const { portOf } = instances
  const changed = () => ledger.observe()
  const balancing = new LoadBalancing({
    place,
    clock,
    traffic,
    portOf,
    nodes,
    delays: () => delays,
    pageSize,
    idleMillis,
    changed
  })
  const scaling = new AutoScaling(
    {
      place,
      clock,
      instances,
      templates,
      balancing,
      pageSize,
      launchMillis: options.launchMillis ?? 10_000,
      isAlarm: alarms.isAlarm
    },
    changed
  )
  const ledger: LedgerOf = new LedgerOf(calls, traffic, balancing, () => scaling)
  for (const [source, app] of Object.entries(apps)) instances.push(source, app)
  clock.every(minute / 4, () => {
    for (const group of balancing.groups.values()) {
      for (const { arn } of balancing.usersOf(group.arn)) traffic.hosts(arn, group)
    }
  })
  clock.every(evaluationInterval, () => alarms.evaluate())
  const services: ReadonlyArray<Service> = [
    {
      name: "elasticloadbalancing",
      protocol: "query",
      id: "2015-12-01",
      namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
      operations: {
        ...balancerOperations(balancing),
        ...ruleOperations(balancing),
        ...groupOperations(balancing),
        ...tagOperations(balancing)
      }
    },
    {
      name: "autoscaling",
      protocol: "query",
      id: "2011-01-01",
      namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
      operations: { ...autoScalingGroupOperations(scaling), ...refreshOperations(scaling) }
    },
    {
      name: "ec2",
      protocol: "ec2",
      id: "2016-11-15",
      namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
      operations: { ...templateOperations(templates, pageSize), ...instanceOperations(instances) }
    },
    {
      name: "monitoring",
      protocol: "json",
      id: "GraniteServiceVersion20100801",
      namespace: "",
      operations: { ...metricOperations(metrics), ...alarms.operations }
    },
    {
      name: "sts",
      protocol: "query",
      id: "2011-06-15",
      namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
      operations: identityOperations(place, clock)
    }
  ]
  const edit = (operation: string, input: object): Promise<unknown> => {
    const service = services.find(({ operations }) => operations[operation] !== undefined)
    if (service === undefined) return Promise.reject(new Error(`The simulator has no ${operation}`))
    const call = { service: service.name, operation, input, caller: otherCaller }
    return calls.run(call, () => service.operations[operation]!.handle(input as never, otherCaller))
  }
  const advance = (millis: number) => clock.advance(millis)
  const listed = ({ id, source }: Instance) => ({ id, source })
  const rest = {
    account,
    region,
    listenerUrl: (arn: string) => balancing.url(arn),
    faults: faultsOf({ calls, balancing, scaling, instances, metrics, setDelays: (next) => (delays = next) }),
    ledger: ledger as Ledger,
    now: clock.now,
    advance,
    push: (source: string, app: App) => instances.push(source, app),
    edit,
    seed: async (options: SeedOptions = {}) => {
      const service = await seedService(edit, advance, options)
      ledger.reset()
      return service
    },
    instances: (group?: string) =>
      [...instances.all.values()]
        .filter(({ group: own, state }) => state === "running" && (group ?? own) === own)
        .map(listed)
  }
  const endpoint = new Endpoint(services, calls, clock, controlled(rest satisfies Control))
  return {
    ...rest,
    endpoint: await endpoint.open(options.port),
    close: async () => {
      clock.close()
      scaling.close()
      endpoint.close()
      await Promise.all([balancing.close(), instances.close()])
    }
  }
}
