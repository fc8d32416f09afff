/** The most bytes of UTF-8 that a pipeline's text has, and files that are imported together: 5 MB. */
export const maximumPipelineBytes = 5_000_000;

/**
 * The most bytes of UTF-8 of a configuration for hosts. It can be longer than the text that it is made of: aliases are
 * unfolded, and wildcards are the names that they stand for.
 */
export const maximumConfigBytes = 8_000_000;
