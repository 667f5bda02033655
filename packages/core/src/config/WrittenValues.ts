/**
 * The values of a configuration file as written. YAML turns `1.10` into the number 1.1; if a string is expected, the
 * written text counts. A number that would lose digits is rejected, in JSON too.
 */
import type { Provider } from "../spi/Provider.ts"
import { type ConfigurationIssue, formatPath, type Path } from "./ConfigurationIssue.ts"
import * as Properties from "./PropertiesCheck.ts"
import * as Shape from "./ManifestShape.ts"
import { sketch } from "./Sketch.ts"
import { isObject } from "./ShapeWalk.ts"

/**
 * Where one value is written in its file, and how.
 *
 * *Details*: `line` and `column` count from 1. `text` is the text of a scalar without quotes; `plain` says that it may
 * still be meant as a string, as in YAML.
 */
export interface Written {
  readonly path: Path
  readonly line: number
  readonly column: number
  readonly text?: string
  readonly plain?: boolean
}

/** A scalar that the file format read as a number or a boolean. */
interface Scalar extends Written {
  readonly text: string
  readonly value: number | boolean
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inside, part) =>
      (isObject(inside) || Array.isArray(inside)) && Object.hasOwn(inside, part)
        ? (inside as Readonly<Record<string | number, unknown>>)[part]
        : undefined,
    value
  )

/** The same value with a different one at an existing path. */
const replaced = (value: unknown, [first, ...rest]: Path, by: unknown): unknown => {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.map((one, index) => (index === first ? replaced(one, rest, by) : one))
  return Object.fromEntries(
    Object.entries(value as object).map(([key, one]) => [key, key === first ? replaced(one, rest, by) : one])
  )
}

const scalarsIn = (value: unknown, written: Iterable<Written>): ReadonlyArray<Scalar> =>
  [...written].flatMap((one): ReadonlyArray<Scalar> => {
    const found = one.text === undefined ? undefined : at(value, one.path)
    return typeof found === "number" || typeof found === "boolean" ? [{ ...one, text: one.text!, value: found }] : []
  })

const touching = (left: Path, right: Path): boolean => {
  const [short, long] = left.length < right.length ? [left, right] : [right, left]
  return short.every((part, index) => part === long[index])
}

/** Properties in which a scalar is used, with the path of the scalar in them. */
interface Inside {
  readonly kind: string
  readonly properties: unknown
  readonly path: Path
}

/** The properties around a scalar: its stack's, or the result of merging an environment. */
const around = (value: unknown, { path }: Written): Inside | undefined => {
  const { overrides, stacks } = sketch(value)
  if (path[0] === "stacks" && path[2] === "properties") {
    const stack = stacks.find(({ index }) => index === path[1])
    if (stack?.provider === undefined) return undefined
    return { kind: stack.provider, properties: stack.properties, path: path.slice(3) }
  }
  if (path[0] === "environments" && path[2] === "stacks" && path[4] === "properties") {
    const over = overrides.find(({ environment, stack }) => environment === path[1] && stack === path[3])
    const stack = stacks.find(({ name }) => name === path[3])
    if (over === undefined || stack?.provider === undefined) return undefined
    return {
      kind: stack.provider,
      properties: Properties.merge(stack.properties, over.properties),
      path: path.slice(5)
    }
  }
  return undefined
}

/** Whether a provider accepts a value at this path, whatever else is wrong. */
const fits = (provider: Provider, { path, properties }: Inside, value: unknown): boolean => {
  return !Properties.issuesOf(provider, replaced(properties, path, value)).some((issue) => touching(issue.path, path))
}

const decimal = /^([-+]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d+))?$/

/** A number as sign, digits without surrounding zeros, and a power of ten; the same for all notations. */
const normal = (text: string): string | undefined => {
  const [, sign = "", whole = "", fraction = "", power = "0"] = decimal.exec(text) ?? []
  if (whole === "" && fraction === "") return undefined
  const digits = `${whole}${fraction}`.replace(/^0+/, "")
  const shortened = digits.replace(/0+$/, "")
  if (shortened === "") return "0"
  const exponent = Number(power) - fraction.length + (digits.length - shortened.length)
  return `${sign === "-" ? "-" : ""}${shortened}e${exponent}`
}

/** Whether a number is exactly what its text says. Other bases are whole numbers. */
export const isExact = (text: string, value: number): boolean => {
  if (!Number.isFinite(value)) return true
  const written = normal(text)
  return written === undefined ? Math.abs(value) <= Number.MAX_SAFE_INTEGER : written === normal(String(value))
}

const quote = (text: string): string => `Quote it to keep it as it is written: "${text}".`

const fewer = "Write it with fewer digits; where a text is expected, in quotes."

const changed = ({ path, text, value }: Scalar, why: string, hint: string): ConfigurationIssue => ({
  path: formatPath(path),
  message: `${text} ${why} ${value}`,
  expected: "a text in quotes, or a number that stays as it is written",
  hint
})

/**
 * The configuration with the written text wherever a string is expected and a number or a boolean was read. A number
 * that stays a number and loses digits is an issue; so is a value that could be either and differs between the two.
 */
export const asWritten = (
  value: unknown,
  written: Iterable<Written>,
  providers: ReadonlyMap<string, Provider>
): { readonly value: unknown; readonly issues: ReadonlyArray<ConfigurationIssue> } => {
  const issues: Array<ConfigurationIssue> = []
  const wrong = new Set(Shape.manifest(value, []).map(({ path }) => path))
  let result = value
  for (const scalar of scalarsIn(value, written)) {
    const inside = scalar.plain === true ? around(value, scalar) : undefined
    const provider = inside === undefined ? undefined : providers.get(inside.kind)
    if (scalar.plain === true && inside === undefined) {
      const where = formatPath(scalar.path)
      const text = replaced(value, scalar.path, scalar.text)
      if (wrong.has(where) && !Shape.manifest(text, []).some(({ path }) => path === where)) {
        result = replaced(result, scalar.path, scalar.text)
        continue
      }
    } else if (inside !== undefined && provider !== undefined && fits(provider, inside, scalar.text)) {
      const either = fits(provider, inside, scalar.value)
      if (!either) {
        result = replaced(result, scalar.path, scalar.text)
        continue
      }
      if (String(scalar.value) !== scalar.text) {
        issues.push(changed(scalar, "would arrive as", `${quote(scalar.text)} As a number, write ${scalar.value}.`))
        continue
      }
    }
    if (typeof scalar.value === "number" && !isExact(scalar.text, scalar.value)) {
      issues.push(changed(scalar, "has more digits than a number keeps, and would become", fewer))
    }
  }
  return { value: result, issues }
}

/** The issues with the lines of their values, or of the nearest enclosing value. */
export const located = (
  issues: ReadonlyArray<ConfigurationIssue>,
  written: Iterable<Written>
): ReadonlyArray<ConfigurationIssue> => {
  const places = new Map([...written].map((one) => [formatPath(one.path), one] as const))
  const nearest = (path: string): Written | undefined => {
    for (
      let end = path.length;
      end > 0;
      end = Math.max(path.lastIndexOf(".", end - 1), path.lastIndexOf("[", end - 1))
    ) {
      const place = places.get(path.slice(0, end))
      if (place !== undefined) return place
    }
    return places.get("")
  }
  return issues.map((issue) => {
    const place = nearest(issue.path)
    return place === undefined ? issue : { ...issue, line: place.line, column: place.column }
  })
}
