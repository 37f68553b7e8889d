// A picture is made ready in the browser: turned as the camera says, no larger
// than anybody needs, and of a kind the server takes. What is left beside the
// pixels, such as where a photo was taken, stays here.
import { Problem, problemFrom } from '../../api/problem';

export const TAKES = 'image/png,image/jpeg,image/webp';
const LONGEST = 3200;
const MOST = 5 * 1024 * 1024;
/** Nobody means to send more than this as one picture. */
const MOST_FILE = 60 * 1024 * 1024;

export class Unreadable extends Error {}

async function encode(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, quality));
  if (!blob) throw new Unreadable('the picture cannot be encoded');
  return blob;
}

/** With photo it always becomes JPEG: what shows a place needs no sharp line. */
export async function prepare(file: Blob, longest = LONGEST, photo = false): Promise<Blob> {
  if (!TAKES.split(',').includes(file.type) || file.size > MOST_FILE) throw new Unreadable(file.type);
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Unreadable(file.type);
  }
  const shrink = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * shrink));
  canvas.height = Math.max(1, Math.round(picture.height * shrink));
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Unreadable('no canvas');
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  // Drawings stay sharp as PNG; photos, and drawings that are too large, become JPEG.
  if (file.type === 'image/png' && !photo) {
    const png = await encode(canvas, 'image/png');
    if (png.size <= MOST) return png;
  }
  return encode(canvas, 'image/jpeg', 0.88);
}

export async function sendPlan(site: string, picture: Blob): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/sites/${encodeURIComponent(site)}/plan`, {
      method: 'PUT',
      body: picture,
      headers: { 'Content-Type': 'application/octet-stream' },
      credentials: 'same-origin',
    });
  } catch {
    throw new Problem(0, 'Server not reachable', '');
  }
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    throw problemFrom(response.status, response.statusText, body, response.headers.get('X-Request-Id') ?? '');
  }
}
