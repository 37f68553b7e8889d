import type { ReactNode } from 'react';

/** A drawing of a kind of thing in lines, with its word for those who do not see it. */
export function Drawing({
  word,
  size,
  className,
  children,
}: {
  word: string;
  size: number;
  className: string | undefined;
  children: ReactNode;
}) {
  return (
    <svg
      className={className}
      viewBox="0 0 20 20"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      role="img"
      aria-label={word}
    >
      <title>{word}</title>
      {children}
    </svg>
  );
}
