/**
 * An instance refresh: replaces the instances of a group, some at a time, and can go back.
 */
import type { InstanceRefresh as RefreshJson, StartInstanceRefreshCommandInput } from "@aws-sdk/client-auto-scaling"
import type { ResolvedTemplate } from "../ec2/LaunchTemplates.ts"
import { invalid } from "../wire/AwsError.ts"
import type { GroupSurroundings, Member, RefreshedGroup } from "./GroupState.ts"

type Preferences = NonNullable<StartInstanceRefreshCommandInput["Preferences"]>

/** How long a refresh waits for instances that do not become healthy. */
const patience = 3_600_000

const active = new Set(["Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"])

/** Refuses preferences that contradict each other. */
export const checkPreferences = (preferences: Preferences, reversible: boolean): void => {
  const { AlarmSpecification, AutoRollback, CheckpointDelay, CheckpointPercentages: points } = preferences
  const { MaxHealthyPercentage: max, MinHealthyPercentage: min } = preferences
  if (min !== undefined && (min < 0 || min > 100)) throw invalid("MinHealthyPercentage must be between 0 and 100")
  if (max !== undefined) {
    if (min === undefined) throw invalid("MaxHealthyPercentage needs MinHealthyPercentage")
    if (max < 100 || max > 200) throw invalid("MaxHealthyPercentage must be between 100 and 200")
    if (max - min > 100) {
      throw invalid("The difference between MaxHealthyPercentage and MinHealthyPercentage cannot be greater than 100")
    }
  }
  if (points?.some((point, at) => point < 1 || point > 100 || point <= (points[at - 1] ?? 0)) === true) {
    throw invalid("CheckpointPercentages must be ascending, unique and between 1 and 100")
  }
  if (CheckpointDelay !== undefined && points === undefined)
    throw invalid("CheckpointDelay needs CheckpointPercentages")
  if ((AlarmSpecification?.Alarms ?? []).length > 10) throw invalid("At most 10 alarms can be specified")
  if (AutoRollback === true && !reversible) {
    throw invalid("AutoRollback needs a DesiredConfiguration, and versions other than $Latest and $Default")
  }
}

export class Refresh {
  readonly id: string
  /** The template that instances get: the desired one, or on the way back the one from before. */
  template: ResolvedTemplate
  /** Whether it can be rolled back. */
  readonly reversible: boolean
  readonly #group: RefreshedGroup
  readonly #around: GroupSurroundings
  readonly #input: StartInstanceRefreshCommandInput
  readonly #before: ResolvedTemplate
  readonly #startedAt: number
  #status = "Pending"
  #reason: string | undefined
  #endedAt: number | undefined
  #percent = 0
  #left: number
  #checkpoint = 0
  #pausedUntil = 0
  #bakesUntil: number | undefined
  #patientUntil: number
  #back: { reason: string; at: number; percent: number; left: number } | undefined

  constructor(
    group: RefreshedGroup,
    around: GroupSurroundings,
    input: StartInstanceRefreshCommandInput,
    { desired, before, reversible }: { desired: ResolvedTemplate; before: ResolvedTemplate; reversible: boolean }
  ) {
    this.id = `${around.place.id(8)}-${around.place.id(4)}-${around.place.id(4)}-${around.place.id(4)}-${around.place.id(12)}`
    this.#group = group
    this.#around = around
    this.#input = input
    this.template = desired
    this.#before = before
    this.reversible = reversible
    this.#startedAt = around.clock.now()
    this.#left = this.#outdated.length
    this.#patientUntil = this.#startedAt + patience
  }

  get isActive(): boolean {
    return active.has(this.#status)
  }

  get status(): string {
    return this.#status
  }

  /** How many instances there may be now, old and new. */
  get wanted(): number {
    if (this.#status === "Cancelling") return this.#total
    const { MaxHealthyPercentage: max = 100 } = this.#preferences
    const most = Math.floor((this.#total * max) / 100)
    const explicit = this.#preferences.MaxHealthyPercentage !== undefined
    // If both limits leave no room, a new instance comes before an old one goes.
    const room = explicit && most === this.#total && this.#least === this.#total ? 1 : 0
    return Math.min(most + room, this.#outdated.length + this.#limit)
  }

  cancel(): void {
    this.#status = "Cancelling"
  }

  rollBack(reason: string): void {
    this.#back = { reason, at: this.#around.clock.now(), percent: this.#percent, left: this.#left }
    this.#reason = reason
    this.template = this.#before
    this.#status = "RollbackInProgress"
    this.#bakesUntil = undefined
    this.#pausedUntil = 0
    this.#patientUntil = this.#around.clock.now() + patience
  }

  step(): void {
    const now = this.#around.clock.now()
    if (this.#status === "Cancelling") return this.#end("Cancelled", "Cancelled by user")
    if (this.#status === "Pending") this.#status = "InProgress"
    const alarm = (this.#preferences.AlarmSpecification?.Alarms ?? []).find(
      (name) => this.#around.isAlarm(name) === true
    )
    const back = this.#status === "RollbackInProgress"
    if (alarm !== undefined && !back) return this.#fail(`CloudWatch alarm ${alarm} went into ALARM state`)
    const ready = this.#updated.filter((member) => this.#isWarm(member, now))
    this.#progress(ready.length, now)
    if (this.#status === "Baking") {
      if (now >= this.#bakesUntil!) this.#succeed()
      return
    }
    const outdated = this.#outdated
    const points = this.#preferences.CheckpointPercentages
    const isLast = !back && points !== undefined && this.#checkpoint >= points.length
    if (isLast || (outdated.length === 0 && ready.length >= this.#total)) {
      const { BakeTime = 0 } = this.#preferences
      if (back || BakeTime === 0) return this.#succeed()
      this.#status = "Baking"
      this.#bakesUntil = now + BakeTime * 1000
      return
    }
    if (now > this.#patientUntil) return this.#fail("The instances did not become healthy within 3600 seconds")
    if (now < this.#pausedUntil) return
    this.#replace(outdated, ready)
  }

  json(): RefreshJson {
    const { AutoScalingGroupName, DesiredConfiguration, Preferences, Strategy } = this.#input
    return {
      InstanceRefreshId: this.id,
      AutoScalingGroupName,
      Status: this.#status as NonNullable<RefreshJson["Status"]>,
      ...(this.#reason === undefined ? {} : { StatusReason: this.#reason }),
      StartTime: new Date(this.#startedAt),
      ...(this.#endedAt === undefined ? {} : { EndTime: new Date(this.#endedAt) }),
      PercentageComplete: this.#percent,
      InstancesToUpdate: this.#left,
      ProgressDetails: {
        LivePoolProgress: { PercentageComplete: this.#percent, InstancesToUpdate: this.#left }
      },
      Strategy: Strategy ?? "Rolling",
      Preferences: {
        ...Preferences,
        MinHealthyPercentage: Preferences?.MinHealthyPercentage ?? 90,
        InstanceWarmup: this.#warmup,
        SkipMatching: Preferences?.SkipMatching ?? false,
        AutoRollback: Preferences?.AutoRollback ?? false,
        ...(Preferences?.CheckpointPercentages === undefined
          ? {}
          : { CheckpointDelay: Preferences.CheckpointDelay ?? 3600 })
      },
      ...(DesiredConfiguration === undefined ? {} : { DesiredConfiguration }),
      ...(this.#back === undefined
        ? {}
        : {
            RollbackDetails: {
              RollbackReason: this.#back.reason,
              RollbackStartTime: new Date(this.#back.at),
              PercentageCompleteOnRollback: this.#back.percent,
              InstancesToUpdateOnRollback: this.#back.left
            }
          })
    }
  }

  get #preferences(): Preferences {
    return this.#input.Preferences ?? {}
  }

  get #total(): number {
    return this.#group.settings.desired
  }

  get #warmup(): number {
    const { grace, warmup } = this.#group.settings
    return this.#preferences.InstanceWarmup ?? warmup ?? grace
  }

  /** The instances that keep the service up: at least so many are healthy. */
  get #least(): number {
    return Math.ceil((this.#total * (this.#preferences.MinHealthyPercentage ?? 90)) / 100)
  }

  /** How many instances may be new before the next checkpoint. */
  get #limit(): number {
    if (this.#back !== undefined) return this.#total
    const next = this.#preferences.CheckpointPercentages?.[this.#checkpoint] ?? 100
    return Math.ceil((this.#total * next) / 100)
  }

  /** Without skip matching, also instances of the same template are replaced. */
  #isNew({ instance }: Member): boolean {
    const { id, version } = this.template
    const same = instance.template.id === id && instance.template.version === version
    const matching = this.#preferences.SkipMatching === true || this.#back !== undefined
    return same && (matching || instance.at.getTime() >= this.#startedAt)
  }

  get #updated(): ReadonlyArray<Member> {
    return this.#group.staying.filter((member) => this.#isNew(member))
  }

  get #outdated(): ReadonlyArray<Member> {
    return this.#group.staying.filter((member) => !this.#isNew(member))
  }

  #isWarm(member: Member, now: number): boolean {
    const isWarm = member.instance.at.getTime() < this.#startedAt || now >= member.readyAt + this.#warmup * 1000
    return member.state === "InService" && isWarm && this.#group.isReady(member)
  }

  #progress(ready: number, now: number): void {
    const share = this.#total === 0 ? 100 : Math.floor((100 * Math.min(ready, this.#total)) / this.#total)
    const percent = this.#back === undefined ? share : Math.min(this.#percent, 100 - share)
    const left = Math.max(0, this.#total - ready)
    if (percent !== this.#percent || left !== this.#left) this.#patientUntil = now + patience
    this.#percent = percent
    this.#left = left
    const points = this.#preferences.CheckpointPercentages
    const point = points?.[this.#checkpoint]
    if (this.#back !== undefined || point === undefined || percent < point) return
    this.#checkpoint += 1
    const last = point === 100
    if (!last) this.#pausedUntil = now + (this.#preferences.CheckpointDelay ?? 3600) * 1000
  }

  #replace(outdated: ReadonlyArray<Member>, ready: ReadonlyArray<Member>): void {
    const isServing = (member: Member) => member.state === "InService" && this.#group.isReady(member)
    const healthy = ready.length + outdated.filter(isServing).length
    // Without an upper limit, one instance at a time is replaced in any case.
    const least = this.#preferences.MaxHealthyPercentage === undefined && healthy >= this.#total ? 1 : 0
    let spare = Math.max(healthy - this.#least, least)
    let replaced = this.#total - outdated.length
    for (const member of outdated) {
      if (replaced >= this.#limit) return
      if (isServing(member) && spare-- <= 0) continue
      replaced += 1
      this.#group.terminate(member, "an instance was taken out of service in response to an instance refresh.")
    }
  }

  #fail(reason: string): void {
    if (this.#back !== undefined) return this.#end("RollbackFailed", reason)
    if (this.#preferences.AutoRollback === true && this.reversible) return this.rollBack(reason)
    this.#end("Failed", reason)
  }

  #succeed(): void {
    this.#percent = this.#back === undefined ? 100 : 0
    this.#left = 0
    // Only now, the group itself has another template.
    if (this.#back === undefined && this.#input.DesiredConfiguration?.LaunchTemplate !== undefined) {
      this.#group.settings.template = this.#input.DesiredConfiguration.LaunchTemplate
    }
    this.#end(this.#back === undefined ? "Successful" : "RollbackSuccessful")
  }

  #end(status: string, reason?: string): void {
    this.#status = status
    if (reason !== undefined) this.#reason = reason
    this.#endedAt = this.#around.clock.now()
  }
}
