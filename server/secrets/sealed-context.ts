/** The row and column that a sealed value belongs to: it opens nowhere else. */
export const secretContext = (id: string): string => `Secret.encryptedValue/${id}`;
export const certificateContext = (id: string): string => `Certificate.encryptedData/${id}`;
