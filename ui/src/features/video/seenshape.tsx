// Shapes of what is seen in pictures, each told from the others without colour.
import type { SeenKind } from './seen';

const shapes: Record<SeenKind, React.ReactNode> = {
  person: (
    <>
      <circle cx="7" cy="3.6" r="2.1" />
      <path d="M2.8 12.6c0-3 1.7-5 4.2-5s4.2 2 4.2 5z" />
    </>
  ),
  vehicle: (
    <path d="M1 9.8V7.4l1.9-.7 1.5-2.5h4.4l2 2.4 2.2.7v2.5h-1.3a1.6 1.6 0 0 1-3.2 0H5.6a1.6 1.6 0 0 1-3.2 0z" />
  ),
  animal: (
    <>
      <ellipse cx="7" cy="9.6" rx="3" ry="2.5" />
      <circle cx="2.7" cy="6.4" r="1.3" />
      <circle cx="5.4" cy="3.6" r="1.4" />
      <circle cx="8.6" cy="3.6" r="1.4" />
      <circle cx="11.3" cy="6.4" r="1.3" />
    </>
  ),
  plate: (
    <path
      fillRule="evenodd"
      d="M1.6 3.8h10.8c.4 0 .6.3.6.6v5.2c0 .4-.2.6-.6.6H1.6c-.4 0-.6-.2-.6-.6V4.4c0-.3.2-.6.6-.6zM3 6v2.4h2V6zm3 0v2.4h2V6zm3 0v2.4h2V6z"
    />
  ),
};

/** The word stands beside it, or is told where it is pointed at. */
export const SeenShape = ({ kind, size = 14 }: { kind: SeenKind; size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 14 14" fill="currentColor" aria-hidden="true">
    {shapes[kind]}
  </svg>
);
