/**
 * An Auto Scaling group: brings its instances, step by step, to the number and the template that are wanted.
 */
import type { Activity, AutoScalingGroup as GroupJson, Instance as MemberJson } from "@aws-sdk/client-auto-scaling"
import type { ResolvedTemplate } from "../ec2/LaunchTemplates.ts"
import type { GroupSettings, GroupSurroundings, Member, RefreshedGroup } from "./GroupState.ts"
import type { Refresh } from "./Refresh.ts"

export class Group implements RefreshedGroup {
  readonly settings: GroupSettings
  readonly arn: string
  readonly members: Array<Member> = []
  readonly refreshes: Array<Refresh> = []
  readonly activities: Array<Activity> = []
  /** Instances that cannot be had. */
  noCapacity = false
  isRemoved = false
  readonly #around: GroupSurroundings
  readonly #createdAt: Date
  #blockedUntil = 0

  constructor(settings: GroupSettings, arn: string, around: GroupSurroundings) {
    this.settings = settings
    this.arn = arn
    this.#around = around
    this.#createdAt = new Date(around.clock.now())
  }

  /** The members that are there to stay. */
  get staying(): ReadonlyArray<Member> {
    return this.members.filter(({ state }) => state !== "Terminating")
  }

  /** The members that serve: in service, and healthy wherever they are registered. */
  get serving(): ReadonlyArray<Member> {
    return this.members.filter((member) => member.state === "InService" && this.isReady(member))
  }

  get refresh(): Refresh | undefined {
    const last = this.refreshes.at(-1)
    return last?.isActive === true ? last : undefined
  }

  isReady({ instance }: Member): boolean {
    if (this.#around.instances.portOf(instance.id) === undefined) return false
    return this.settings.targetGroups.every((arn) => {
      const group = this.#around.balancing.groups.get(arn)
      return group === undefined || ["healthy", "unused"].includes(group.stateOf(instance.id) ?? "")
    })
  }

  /** Takes up one step of the way to what is wanted. */
  async step(): Promise<void> {
    const now = this.#around.clock.now()
    for (const member of this.members) {
      if (member.state !== "Pending" || member.readyAt > now) continue
      member.state = "InService"
      for (const arn of this.settings.targetGroups) this.#register(arn, member)
    }
    for (const member of this.members.filter(({ state }) => state === "Terminating")) await this.#leave(member)
    for (const member of this.staying) this.#check(member, now)
    this.refresh?.step()
    const wanted = this.refresh?.wanted ?? this.settings.desired
    const surplus = this.staying.length - wanted
    if (surplus < 0) await this.#launch(-surplus, now)
    else if (surplus > 0 && this.refresh === undefined) this.#shrink(surplus)
  }

  /** Begins to take a member out of service. */
  terminate(member: Member, why: string): void {
    if (member.state === "Terminating") return
    member.state = "Terminating"
    for (const arn of this.settings.targetGroups) {
      this.#around.balancing.groups.get(arn)?.deregister({ Id: member.instance.id })
    }
    this.#record(`Terminating EC2 instance: ${member.instance.id}`, why, "Successful")
  }

  /** Registers its members with other target groups than before. */
  attach(arns: ReadonlyArray<string>): void {
    const before = this.settings.targetGroups
    this.settings.targetGroups = arns
    const inService = this.members.filter(({ state }) => state === "InService")
    for (const arn of arns.filter((one) => !before.includes(one))) {
      for (const member of inService) this.#register(arn, member)
    }
    for (const arn of before.filter((one) => !arns.includes(one))) {
      for (const { instance } of this.members) this.#around.balancing.groups.get(arn)?.deregister({ Id: instance.id })
    }
  }

  json(): GroupJson {
    const { desired, grace, healthCheckType, max, min, name, subnets, tags, targetGroups, template, warmup } =
      this.settings
    return {
      AutoScalingGroupName: name,
      AutoScalingGroupARN: this.arn,
      LaunchTemplate: template,
      MinSize: min,
      MaxSize: max,
      DesiredCapacity: desired,
      DefaultCooldown: 300,
      AvailabilityZones: [`${this.#around.place.region}a`],
      LoadBalancerNames: [],
      TargetGroupARNs: [...targetGroups],
      TrafficSources: targetGroups.map((Identifier) => ({ Identifier, Type: "elbv2" })),
      HealthCheckType: healthCheckType,
      HealthCheckGracePeriod: grace,
      ...(warmup === undefined ? {} : { DefaultInstanceWarmup: warmup }),
      Instances: this.members.map((member) => this.memberJson(member)),
      CreatedTime: this.#createdAt,
      SuspendedProcesses: [],
      VPCZoneIdentifier: subnets,
      EnabledMetrics: [],
      TerminationPolicies: ["Default"],
      NewInstancesProtectedFromScaleIn: false,
      Tags: [...tags],
      ...(this.isRemoved ? { Status: "Delete in progress" } : {})
    }
  }

  memberJson({ health, instance, state }: Member): MemberJson {
    const { id, name, version } = instance.template
    return {
      InstanceId: instance.id,
      InstanceType: instance.template.data.InstanceType ?? "t3.micro",
      AvailabilityZone: `${this.#around.place.region}a`,
      LifecycleState: state,
      HealthStatus: health,
      ProtectedFromScaleIn: false,
      LaunchTemplate: { LaunchTemplateId: id, LaunchTemplateName: name, Version: String(version) }
    }
  }

  /** The template of new instances: of the refresh that runs, or the own one. */
  get wantedTemplate(): ResolvedTemplate {
    return this.refresh?.template ?? this.#around.templates.resolve(this.settings.template)
  }

  #register(arn: string, { instance }: Member): void {
    this.#around.balancing.groups.get(arn)?.register({ Id: instance.id })
  }

  /** Ends a member that no target group drains any more. */
  async #leave(member: Member): Promise<void> {
    const { id } = member.instance
    const drains = this.settings.targetGroups.some(
      (arn) => this.#around.balancing.groups.get(arn)?.stateOf(id) !== undefined
    )
    if (drains) return
    await this.#around.instances.terminate(id)
    const at = this.members.indexOf(member)
    if (at !== -1) this.members.splice(at, 1)
  }

  /** Replaces a member that does not run any more, or that load balancers find unhealthy. */
  #check(member: Member, now: number): void {
    if (member.state !== "InService") return
    const runs = this.#around.instances.portOf(member.instance.id) !== undefined
    const graceful = now < member.readyAt + this.settings.grace * 1000
    const unhealthy =
      this.settings.healthCheckType.includes("ELB") &&
      !graceful &&
      this.settings.targetGroups.some(
        (arn) => this.#around.balancing.groups.get(arn)?.stateOf(member.instance.id) === "unhealthy"
      )
    if (runs && !unhealthy) return
    member.health = "Unhealthy"
    this.terminate(
      member,
      runs
        ? "an instance was taken out of service in response to an ELB system health check failure."
        : "an instance was taken out of service in response to an EC2 health check indicating it has been terminated."
    )
  }

  async #launch(count: number, now: number): Promise<void> {
    if (now < this.#blockedUntil) return
    const cause = "an instance was started in response to a difference between desired and actual capacity."
    if (this.noCapacity) {
      this.#blockedUntil = now + 10_000
      const failure =
        "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient capacity in the Availability Zone you requested. Launching EC2 instance failed."
      this.#record("Launching a new EC2 instance.  Status Reason: capacity", cause, "Failed", failure)
      return
    }
    const template = this.wantedTemplate
    for (let at = 0; at < count; at++) {
      const instance = await this.#around.instances.launch(template, this.settings.name)
      this.members.push({
        instance,
        state: "Pending",
        health: "Healthy",
        readyAt: this.#around.clock.now() + this.#around.launchMillis
      })
      this.#record(`Launching a new EC2 instance: ${instance.id}`, cause, "Successful")
    }
  }

  /** Terminates what is too many: first what has another template than the wanted one, then the oldest. */
  #shrink(count: number): void {
    const { id, version } = this.wantedTemplate
    const outdated = ({ instance: { template } }: Member) => template.id !== id || template.version !== version
    const sorted = this.staying.toSorted((a, b) => Number(outdated(b)) - Number(outdated(a)))
    for (const member of sorted.slice(0, count)) {
      this.terminate(
        member,
        "an instance was taken out of service in response to a difference between desired and actual capacity."
      )
    }
  }

  #record(Description: string, Cause: string, StatusCode: "Successful" | "Failed", StatusMessage?: string): void {
    const now = new Date(this.#around.clock.now())
    this.activities.unshift({
      ActivityId: this.#around.place.id(32),
      AutoScalingGroupName: this.settings.name,
      Description,
      Cause: `At ${now.toISOString()} ${Cause}`,
      StartTime: now,
      EndTime: now,
      StatusCode,
      ...(StatusMessage === undefined ? {} : { StatusMessage }),
      Progress: 100
    })
  }
}
