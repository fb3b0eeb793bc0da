//! A WebSocket: bytes in both directions until one end closes it, or what it rests on is over. Then
//! both ends get a Close frame, each between two frames of the other's.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::frames::{Frames, close_frame};
use crate::over::Why;

/// So long it may take to come to the end of a frame before a WebSocket is cut off in the middle.
const FRAME_END: Duration = Duration::from_secs(1);
const BUFFER: usize = 16 * 1024;

/// Passes bytes until it is over.
pub(crate) async fn tunnel(client: OnUpgrade, origin: OnUpgrade, over: impl Future<Output = Why>) {
    let (Ok(client), Ok(origin)) = tokio::join!(client, origin) else { return };
    let (from_client, to_client) = split(TokioIo::<Upgraded>::new(client));
    let (from_origin, to_origin) = split(TokioIo::<Upgraded>::new(origin));
    let (said, why) = watch::channel(None);
    let mask = u32::try_from(RandomState::new().hash_one(0) >> 32).unwrap_or_default();
    let both = async {
        tokio::join!(
            pass(from_client, to_origin, why.clone(), Some(mask.to_be_bytes())),
            pass(from_origin, to_client, why.clone(), None),
        )
    };
    let mut both = std::pin::pin!(both);
    tokio::select! {
        _ = both.as_mut() => return,
        why = over => { said.send_replace(Some(why)); }
    }
    let _ = timeout(FRAME_END, both).await;
}

/// Passes bytes in one direction; when it is over, up to the end of a frame and then a Close frame.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut why: watch::Receiver<Option<Why>>,
    mask: Option<[u8; 4]>,
) {
    let mut frames = Frames::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let is_between = frames.is_between();
        let read = tokio::select! {
            biased;
            Some(why) = said(&mut why), if is_between => Err(why),
            read = from.read(&mut buffer) => Ok(read.unwrap_or_default()),
        };
        let length = match read {
            Ok(0) => break,
            Ok(length) => length,
            Err((code, word)) => {
                let _ = to.write_all(&close_frame(code, word, mask)).await;
                break;
            }
        };
        let chunk = buffer.get(..length).unwrap_or_default();
        frames.take(chunk);
        if to.write_all(chunk).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// Waits until it is said why it ends.
async fn said(why: &mut watch::Receiver<Option<Why>>) -> Option<Why> {
    why.wait_for(Option::is_some).await.ok().and_then(|why| *why)
}
