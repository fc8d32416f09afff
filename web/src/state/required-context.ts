import { useContext, type Context } from "solid-js";

/** The context's value; its absence is a mistake in the tree of components. */
export function requireContext<T>(context: Context<T | undefined>, name: string): T {
  const value = useContext(context);
  if (value === undefined) throw new Error(`${name} is missing above this component`);
  return value;
}
