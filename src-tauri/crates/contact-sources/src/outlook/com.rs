//! Automation on Windows: COM's `IDispatch`, late bound, so that any version of classic Outlook will do.
#![expect(unsafe_code, reason = "COM is called through its own interface")]

use windows::Win32::System::Com::{
    CLSCTX_LOCAL_SERVER, CLSIDFromProgID, COINIT_APARTMENTTHREADED, CoCreateInstance,
    CoInitializeEx, CoUninitialize, DISPATCH_METHOD, DISPATCH_PROPERTYGET, DISPATCH_PROPERTYPUT,
    DISPPARAMS, IDispatch,
};
use windows::Win32::System::Ole::DISPID_PROPERTYPUT;
use windows::Win32::System::Variant::{
    VAR_CHANGE_FLAGS, VARIANT, VT_BOOL, VT_BSTR, VT_DATE, VT_DISPATCH, VT_I2, VT_I4, VT_R8,
    VariantChangeType,
};
use windows::core::{BSTR, Error, GUID, HSTRING, PCWSTR, w};

use super::{Argument, Automation, Told};
use crate::SourceError;

/// Texts in the user's own language.
const LOCALE: u32 = 0x0400;

/// The thread's door to COM; its objects do not leave the thread.
pub(super) struct Com {
    _apartment: Apartment,
}

/// COM is open on this thread until this goes.
struct Apartment;

impl Drop for Apartment {
    fn drop(&mut self) {
        // SAFETY: it was opened on this thread, and all objects of it are gone.
        unsafe { CoUninitialize() };
    }
}

impl Com {
    /// Opens COM on this thread.
    pub(super) fn begin() -> Result<Com, SourceError> {
        // SAFETY: no conditions; what it answers is looked at.
        let opened = unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) };
        opened.ok().map_err(|error| failure(&error))?;
        Ok(Com { _apartment: Apartment })
    }
}

impl Automation for Com {
    type Object = IDispatch;

    fn application(&mut self) -> Result<IDispatch, SourceError> {
        // SAFETY: the name is a constant text that ends with a zero.
        let class = unsafe { CLSIDFromProgID(w!("Outlook.Application")) };
        // Classic Outlook is not installed.
        let class = class.map_err(|_| SourceError::NotFound)?;
        // SAFETY: COM is open on this thread.
        let made = unsafe { CoCreateInstance(&class, None, CLSCTX_LOCAL_SERVER) };
        made.map_err(|error| failure(&error))
    }

    fn ask(
        &mut self,
        of: &IDispatch,
        member: &str,
        arguments: &[Argument<'_>],
    ) -> Result<Told<IDispatch>, SourceError> {
        let id = number_of(of, member)?;
        // The last one comes first.
        let mut given: Vec<VARIANT> =
            arguments.iter().rev().map(|argument| written(*argument)).collect::<Result<_, _>>()?;
        let parameters = DISPPARAMS {
            rgvarg: given.as_mut_ptr(),
            rgdispidNamedArgs: std::ptr::null_mut(),
            cArgs: u32::try_from(given.len()).unwrap_or(0),
            cNamedArgs: 0,
        };
        let mut told = VARIANT::default();
        // SAFETY: the arguments and the answer live until it returns.
        unsafe {
            of.Invoke(
                id,
                &GUID::zeroed(),
                LOCALE,
                DISPATCH_METHOD | DISPATCH_PROPERTYGET,
                &parameters,
                Some(&mut told),
                None,
                None,
            )
        }
        .map_err(|error| failure(&error))?;
        Ok(read(&told))
    }

    fn put(
        &mut self,
        of: &IDispatch,
        member: &str,
        value: Argument<'_>,
    ) -> Result<(), SourceError> {
        let id = number_of(of, member)?;
        let (mut given, mut name) = (written(value)?, DISPID_PROPERTYPUT);
        let parameters = DISPPARAMS {
            rgvarg: &mut given,
            rgdispidNamedArgs: &mut name,
            cArgs: 1,
            cNamedArgs: 1,
        };
        // SAFETY: the value and its name live until it returns.
        unsafe {
            of.Invoke(
                id,
                &GUID::zeroed(),
                LOCALE,
                DISPATCH_PROPERTYPUT,
                &parameters,
                None,
                None,
                None,
            )
        }
        .map_err(|error| failure(&error))
    }
}

/// The number of a member.
fn number_of(of: &IDispatch, member: &str) -> Result<i32, SourceError> {
    let name = HSTRING::from(member);
    let (names, mut id) = ([PCWSTR(name.as_ptr())], 0);
    // SAFETY: one name goes in and one number comes out; both live until it returns.
    unsafe { of.GetIDsOfNames(&GUID::zeroed(), names.as_ptr(), 1, LOCALE, &mut id) }
        .map_err(|error| failure(&error))?;
    Ok(id)
}

/// An argument or a value as COM has it.
fn written(argument: Argument<'_>) -> Result<VARIANT, SourceError> {
    Ok(match argument {
        Argument::Text(text) => VARIANT::from(text),
        Argument::Number(number) => VARIANT::from(number),
        Argument::Time(days) => {
            let (days, mut time) = (VARIANT::from(days), VARIANT::default());
            // SAFETY: both live until it returns.
            unsafe { VariantChangeType(&mut time, &days, VAR_CHANGE_FLAGS(0), VT_DATE) }
                .map_err(|error| failure(&error))?;
            time
        }
    })
}

/// What is in an answer; what is of no use here is nothing.
fn read(told: &VARIANT) -> Told<IDispatch> {
    let kind = told.vt();
    if kind == VT_BSTR {
        BSTR::try_from(told).map_or(Told::Nothing, |text| Told::Text(text.to_string()))
    } else if kind == VT_DISPATCH {
        IDispatch::try_from(told).map_or(Told::Nothing, Told::Object)
    } else if kind == VT_DATE || kind == VT_R8 {
        f64::try_from(told).map_or(Told::Nothing, Told::Time)
    } else if kind == VT_I2 || kind == VT_I4 || kind == VT_BOOL {
        i32::try_from(told).map_or(Told::Nothing, |number| Told::Number(i64::from(number)))
    } else {
        Told::Nothing
    }
}

/// What COM did not like; its own words may hold names of people, so the number it is.
fn failure(error: &Error) -> SourceError {
    SourceError::Server(u32::from_ne_bytes(error.code().0.to_ne_bytes()))
}
