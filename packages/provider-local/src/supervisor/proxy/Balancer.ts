/**
 * Smooth weighted round robin (the algorithm of nginx, Igor Sysoev 2012): over any hundred requests, each release gets
 * its share to within one, and bursts to one release are spread. Random choice would be off by ten.
 */

export interface Balanced {
  readonly ready: boolean
}

interface Entry<U> {
  readonly releaseId: string
  readonly weight: number
  readonly upstreams: Array<U>
  current: number
  next: number
}

export class Balancer<U extends Balanced> {
  #entries: Array<Entry<U>> = []

  /** Replaces the weights at once: the next `pick` already uses the new ones. */
  setWeights(weights: Readonly<Record<string, number>>): void {
    this.#entries = [
      ...this.#entries
        .filter(({ releaseId }) => weights[releaseId] === undefined)
        .map((entry) => ({ ...entry, weight: 0, current: 0 })),
      ...Object.entries(weights).map(([releaseId, weight]) => {
        const before = this.#entries.find((entry) => entry.releaseId === releaseId)
        return { releaseId, weight, upstreams: before?.upstreams ?? [], current: 0, next: before?.next ?? 0 }
      })
    ].filter(({ upstreams, weight }) => weight > 0 || upstreams.length > 0)
  }

  add(releaseId: string, upstream: U): void {
    const entry = this.#entries.find((candidate) => candidate.releaseId === releaseId)
    if (entry === undefined) this.#entries.push({ releaseId, weight: 0, upstreams: [upstream], current: 0, next: 0 })
    else if (!entry.upstreams.includes(upstream)) entry.upstreams.push(upstream)
  }

  remove(releaseId: string, upstream: U): void {
    const entry = this.#entries.find((candidate) => candidate.releaseId === releaseId)
    if (entry === undefined) return
    const at = entry.upstreams.indexOf(upstream)
    if (at >= 0) entry.upstreams.splice(at, 1)
    if (entry.weight === 0 && entry.upstreams.length === 0) this.#entries.splice(this.#entries.indexOf(entry), 1)
  }

  /**
   * The upstream for the next request; undefined if none is ready. A release without a ready instance is skipped, so
   * that the others serve its share; `observe` reports that.
   */
  pick(tried?: ReadonlySet<U>): U | undefined {
    let total = 0
    let best: Entry<U> | undefined
    for (const entry of this.#entries) {
      if (entry.weight === 0 || !entry.upstreams.some((upstream) => usable(upstream, tried))) continue
      entry.current += entry.weight
      total += entry.weight
      if (best === undefined || entry.current > best.current) best = entry
    }
    if (best === undefined) return undefined
    best.current -= total
    for (let step = 0; step < best.upstreams.length; step++) {
      best.next = (best.next + 1) % best.upstreams.length
      const upstream = best.upstreams[best.next]!
      if (usable(upstream, tried)) return upstream
    }
    return undefined
  }

  /** Whether `pick` would find one. */
  has(tried: ReadonlySet<U>): boolean {
    return this.#entries.some(
      ({ upstreams, weight }) => weight > 0 && upstreams.some((upstream) => usable(upstream, tried))
    )
  }

  /** The current shares in percent by which requests are really divided. */
  effective(): Readonly<Record<string, number>> {
    const routed = this.#entries.filter(({ upstreams, weight }) => weight > 0 && upstreams.some(({ ready }) => ready))
    const total = routed.reduce((sum, { weight }) => sum + weight, 0)
    return Object.fromEntries(
      routed.map(({ releaseId, weight }) => [releaseId, Math.round((weight / total) * 1e8) / 1e6])
    )
  }
}

const usable = <U extends Balanced>(upstream: U, tried: ReadonlySet<U> | undefined): boolean =>
  upstream.ready && tried?.has(upstream) !== true
