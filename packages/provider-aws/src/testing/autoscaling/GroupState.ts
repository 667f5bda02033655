/**
 * What belongs to an Auto Scaling group.
 */
import type { LaunchTemplateSpecification, TagDescription } from "@aws-sdk/client-auto-scaling"
import type { Instance, Instances } from "../ec2/Instances.ts"
import type { LaunchTemplates } from "../ec2/LaunchTemplates.ts"
import type { LoadBalancing } from "../elb/LoadBalancing.ts"
import type { Place } from "../Place.ts"
import type { SimulatedClock } from "../SimulatedClock.ts"

/** What groups see of the rest of a simulator. */
export interface GroupSurroundings {
  readonly place: Place
  readonly clock: SimulatedClock
  readonly instances: Instances
  readonly templates: LaunchTemplates
  readonly balancing: LoadBalancing
  /** How many groups, refreshes or activities a list has at most on one page. */
  readonly pageSize: number
  /** How long it takes until a new instance is in service, in simulated milliseconds. */
  readonly launchMillis: number
  /** Whether an alarm is in the state `ALARM`; undefined if there is no such alarm. */
  readonly isAlarm: (name: string) => boolean | undefined
}

/** An instance as a member of a group. */
export interface Member {
  readonly instance: Instance
  state: "Pending" | "InService" | "Terminating"
  health: "Healthy" | "Unhealthy"
  /** When it comes into service. */
  readonly readyAt: number
}

/** The settings that calls change. */
export interface GroupSettings {
  name: string
  min: number
  max: number
  desired: number
  template: LaunchTemplateSpecification
  targetGroups: ReadonlyArray<string>
  healthCheckType: string
  grace: number
  warmup: number | undefined
  subnets: string
  tags: ReadonlyArray<TagDescription>
}

/** A group, as a refresh of it sees it. */
export interface RefreshedGroup {
  readonly settings: GroupSettings
  /** The members that are there to stay. */
  readonly staying: ReadonlyArray<Member>
  /** Whether a member is healthy wherever it is registered. */
  readonly isReady: (member: Member) => boolean
  /** Begins to take a member out of service. */
  readonly terminate: (member: Member, why: string) => void
}
