//! The notification centre of macOS (`UNUserNotificationCenter`). It serves programs in a bundle only, and asks the user
//! once whether he wants that.

#![expect(unsafe_code, reason = "the centre calls back into a class of ours")]

use std::collections::BTreeMap;

use block2::{DynBlock, RcBlock};
use objc2::rc::Retained;
use objc2::runtime::{Bool, NSObject, NSObjectProtocol, ProtocolObject};
use objc2::{AllocAnyThread, DefinedClass, define_class, msg_send};
use objc2_foundation::{NSArray, NSBundle, NSError, NSSet, NSString};
use objc2_user_notifications::{
    UNAuthorizationOptions, UNMutableNotificationContent, UNNotification, UNNotificationAction,
    UNNotificationActionOptions, UNNotificationCategory, UNNotificationCategoryOptions,
    UNNotificationDefaultActionIdentifier, UNNotificationDismissActionIdentifier,
    UNNotificationPresentationOptions, UNNotificationRequest, UNNotificationResponse,
    UNUserNotificationCenter, UNUserNotificationCenterDelegate,
};
use tokio::sync::mpsc;

use super::{DEFAULT, Notice, Order};

/// Told the key and the button.
type Pressed = Box<dyn Fn(u64, String) + Send + Sync>;

/// Sets of buttons by their name; the centre wants to know all there are.
type Categories = BTreeMap<String, Vec<(String, String)>>;

define_class!(
    // SAFETY: NSObject asks nothing of what is derived from it, and the class has no destructor.
    #[unsafe(super(NSObject))]
    #[ivars = Pressed]
    struct Listener;

    unsafe impl NSObjectProtocol for Listener {}

    unsafe impl UNUserNotificationCenterDelegate for Listener {
        #[unsafe(method(userNotificationCenter:didReceiveNotificationResponse:withCompletionHandler:))]
        fn pressed(
            &self,
            _: &UNUserNotificationCenter,
            response: &UNNotificationResponse,
            done: &DynBlock<dyn Fn()>,
        ) {
            let key = response.notification().request().identifier().to_string();
            if let (Ok(key), Some(action)) = (key.parse(), action_of(response)) {
                (self.ivars())(key, action);
            }
            done.call(());
        }

        // Else nothing is shown while the program is in front.
        #[unsafe(method(userNotificationCenter:willPresentNotification:withCompletionHandler:))]
        fn presented(
            &self,
            _: &UNUserNotificationCenter,
            _: &UNNotification,
            how: &DynBlock<dyn Fn(UNNotificationPresentationOptions)>,
        ) {
            how.call((
                UNNotificationPresentationOptions::Banner | UNNotificationPresentationOptions::List,
            ));
        }
    }
);

impl Listener {
    fn new(pressed: Pressed) -> Retained<Listener> {
        let this = Listener::alloc().set_ivars(pressed);
        // SAFETY: NSObject's init takes nothing and gives the object itself.
        unsafe { msg_send![super(this), init] }
    }
}

/// The button's name; none: the notification was wiped away.
fn action_of(response: &UNNotificationResponse) -> Option<String> {
    let action = response.actionIdentifier();
    // SAFETY: constants of the framework, there as long as the program is.
    let (default, dismissed) =
        unsafe { (UNNotificationDefaultActionIdentifier, UNNotificationDismissActionIdentifier) };
    if action.isEqualToString(dismissed) {
        return None;
    }
    Some(if action.isEqualToString(default) { DEFAULT.to_owned() } else { action.to_string() })
}

pub(super) async fn run(
    mut orders: mpsc::Receiver<Order>,
    pressed: impl Fn(u64, String) + Send + Sync + 'static,
) {
    // The centre ends a program that asks for it outside a bundle.
    if NSBundle::mainBundle().bundleIdentifier().is_none() {
        tracing::debug!("nothing shows notifications outside a bundle");
        return;
    }
    listen(Box::new(pressed));
    let mut categories = Categories::new();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Show(notice) => show(&notice, &mut categories),
            Order::Close(key) => close(key),
        }
    }
}

/// Asks the user's leave and has presses told.
fn listen(pressed: Pressed) {
    let centre = UNUserNotificationCenter::currentNotificationCenter();
    let listener = Listener::new(pressed);
    centre.setDelegate(Some(ProtocolObject::from_ref(&*listener)));
    // The centre does not keep it; it is needed as long as the program runs.
    let _ = Retained::into_raw(listener);
    let answered = RcBlock::new(|granted: Bool, _: *mut NSError| {
        tracing::info!(granted = granted.as_bool(), "notifications");
    });
    centre.requestAuthorizationWithOptions_completionHandler(
        UNAuthorizationOptions::Alert | UNAuthorizationOptions::Badge,
        &answered,
    );
}

fn show(notice: &Notice, categories: &mut Categories) {
    let centre = UNUserNotificationCenter::currentNotificationCenter();
    let buttons: Vec<(String, String)> =
        notice.buttons().map(|(name, words)| (name.to_owned(), words.to_owned())).collect();
    let category =
        buttons.iter().map(|(name, words)| format!("{name}={words};")).collect::<String>();
    if categories.insert(category.clone(), buttons).is_none() {
        centre.setNotificationCategories(&described(categories));
    }
    let content = UNMutableNotificationContent::new();
    content.setTitle(&NSString::from_str(&notice.summary));
    content.setBody(&NSString::from_str(&notice.body));
    content.setCategoryIdentifier(&NSString::from_str(&category));
    // The same identifier replaces what is shown.
    let key = NSString::from_str(&notice.key.to_string());
    let request =
        UNNotificationRequest::requestWithIdentifier_content_trigger(&key, &content, None);
    centre.addNotificationRequest_withCompletionHandler(&request, None);
}

fn close(key: u64) {
    let keys = NSArray::from_retained_slice(&[NSString::from_str(&key.to_string())]);
    let centre = UNUserNotificationCenter::currentNotificationCenter();
    centre.removePendingNotificationRequestsWithIdentifiers(&keys);
    centre.removeDeliveredNotificationsWithIdentifiers(&keys);
}

fn described(categories: &Categories) -> Retained<NSSet<UNNotificationCategory>> {
    let each = categories.iter().map(|(name, buttons)| {
        let actions: Vec<Retained<UNNotificationAction>> = buttons
            .iter()
            .map(|(name, words)| {
                UNNotificationAction::actionWithIdentifier_title_options(
                    &NSString::from_str(name),
                    &NSString::from_str(words),
                    UNNotificationActionOptions::empty(),
                )
            })
            .collect();
        UNNotificationCategory::categoryWithIdentifier_actions_intentIdentifiers_options(
            &NSString::from_str(name),
            &NSArray::from_retained_slice(&actions),
            &NSArray::new(),
            UNNotificationCategoryOptions::empty(),
        )
    });
    NSSet::from_retained_slice(&each.collect::<Vec<_>>())
}
