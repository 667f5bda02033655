import { isObject } from "./ShapeWalk.ts"

/** The readable parts of a stack, whatever else is wrong with it. */
export interface StackSketch {
  readonly index: number
  readonly name: string
  readonly provider: string | undefined
  readonly dependsOn: ReadonlyArray<readonly [index: number, name: string]>
  readonly strategy: string | undefined
  readonly properties: Readonly<Record<string, unknown>>
  readonly metrics: unknown
}

/** The readable settings of one stack in one environment. */
export interface OverrideSketch {
  readonly environment: string
  readonly stack: string
  readonly strategy: string | undefined
  readonly properties: Readonly<Record<string, unknown>> | undefined
  readonly metrics: unknown
}

/** The readable parts of a freeze. */
export interface FreezeSketch {
  readonly index: number
  readonly name: string | undefined
  readonly environments: ReadonlyArray<readonly [index: number, name: string]>
}

/** The readable parts of a configuration, so that references are checked even if other parts are wrong. */
export interface Sketch {
  readonly stacks: ReadonlyArray<StackSketch>
  readonly environments: ReadonlyArray<string>
  readonly overrides: ReadonlyArray<OverrideSketch>
  readonly freezes: ReadonlyArray<FreezeSketch>
  readonly plugins: ReadonlyArray<unknown>
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const texts = (value: unknown): ReadonlyArray<readonly [index: number, text: string]> =>
  Array.isArray(value)
    ? value.flatMap((one: unknown, index) => (typeof one === "string" ? [[index, one] as const] : []))
    : []

const strategyOf = (value: unknown): string | undefined =>
  value === undefined ? "all_at_once" : isObject(value) ? text(value.type) : undefined

export const sketch = (value: unknown): Sketch => {
  const root = isObject(value) ? value : {}
  const stacks = Array.isArray(root.stacks) ? root.stacks : []
  const environments = isObject(root.environments) ? root.environments : {}
  return {
    stacks: stacks.flatMap((stack: unknown, index): ReadonlyArray<StackSketch> => {
      if (!isObject(stack) || typeof stack.name !== "string") return []
      return [
        {
          index,
          name: stack.name,
          provider: text(stack.provider),
          dependsOn: texts(
            Array.isArray(stack.dependsOn)
              ? stack.dependsOn.map((edge: unknown) => (isObject(edge) ? edge.stack : edge))
              : undefined
          ),
          strategy: strategyOf(stack.strategy),
          properties: isObject(stack.properties) ? stack.properties : {},
          metrics: stack.metrics
        }
      ]
    }),
    environments: Object.keys(environments),
    overrides: Object.entries(environments).flatMap(([environment, settings]) =>
      isObject(settings) && isObject(settings.stacks)
        ? Object.entries(settings.stacks).map(([stack, override]): OverrideSketch => ({
            environment,
            stack,
            strategy: isObject(override) && override.strategy !== undefined ? strategyOf(override.strategy) : undefined,
            properties: isObject(override) && isObject(override.properties) ? override.properties : undefined,
            metrics: isObject(override) ? override.metrics : undefined
          }))
        : []
    ),
    freezes: (Array.isArray(root.freezes) ? root.freezes : []).flatMap(
      (freeze: unknown, index): ReadonlyArray<FreezeSketch> =>
        isObject(freeze) ? [{ index, name: text(freeze.name), environments: texts(freeze.environments) }] : []
    ),
    plugins: Array.isArray(root.plugins) ? root.plugins : []
  }
}
