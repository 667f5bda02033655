import { resolve } from "node:path"
import { refuse } from "../supervisor/Protocol.ts"

/** Where an artifact is, and the digest that it has to have. */
export interface Source {
  /** As the user gave it, without the digest: no secrets are resolved in it. */
  readonly shown: string
  readonly location: { readonly url: string } | { readonly path: string }
  readonly archive: boolean
  readonly digest: string | undefined
  /** Whether the deployment was given it, or the properties of the stack name it. */
  readonly from: "deployment" | "properties"
}

export const isArchiveName = (name: string): boolean => /\.(tar\.gz|tgz)$/i.test(name)

/** Refuses an artifact for what it is: cause first, and where the artifact was named. */
export const invalid = (source: Pick<Source, "shown" | "from">, cause: string, advice?: string): never => {
  const where = `${source.shown} ${givenIn(source)}.`
  return refuse({
    _tag: "Invalid",
    message: `the artifact ${source.shown} cannot be deployed: ${cause}`,
    path: ["artifact"],
    hint: `${advice ?? "Correct the artifact."} ${where}`
  })
}

/** Refuses an artifact that is not there. */
export const missing = (source: Source, cause: string): never =>
  refuse({ _tag: "Missing", message: `the artifact ${source.shown} ${cause}; it ${givenIn(source)}` })

const givenIn = ({ from }: Pick<Source, "from">): string =>
  from === "deployment" ? "was given with the deployment (--artifact)" : `is "artifact" in the properties of the stack`

/**
 * Reads what the user gave: a path or an http(s) URL, `#sha256=…` at its end. `${NAME}` in a URL stands for an environment
 * variable, so that a token needs not be written down; a password in the URL itself is refused.
 */
export const parse = (
  given: string,
  from: Source["from"],
  digest: string | undefined,
  cwd: string,
  env: NodeJS.ProcessEnv
): Source => {
  const path = ["artifact"]
  const [, shown, hex] = /^(.*?)(?:#sha256=([0-9a-fA-F]{64}))?$/s.exec(given)!
  if (/#sha256=/.test(shown!)) {
    refuse({ _tag: "Invalid", message: "a sha256 digest has 64 hexadecimal digits", path })
  }
  const expected = hex === undefined ? digest : `sha256:${hex.toLowerCase()}`
  if (!/^https?:\/\//i.test(shown!)) {
    const absolute = resolve(cwd, shown!)
    return { shown: shown!, location: { path: absolute }, archive: isArchiveName(shown!), digest: expected, from }
  }
  if (/^https?:\/\/[^/]*:[^/$]*@/i.test(shown!)) {
    refuse({
      _tag: "Invalid",
      message: "the URL holds a password",
      path,
      hint: "Write ${NAME} in its place, and give that environment variable."
    })
  }
  const url = shown!.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (_, name: string) =>
      env[name] ?? refuse({ _tag: "Invalid", message: `the environment variable ${name} is not set`, path })
  )
  if (!URL.canParse(url)) refuse({ _tag: "Invalid", message: `${shown} is not a URL`, path })
  return { shown: shown!, location: { url }, archive: true, digest: expected, from }
}
